internal import Wire

/// The BPF program behind `DropWatch`, and the record it writes.
///
/// It is assembled here, with offsets from the running kernel's BTF, and not compiled from C with
/// CO-RE relocations: that would need clang where nftrace is built and libbpf where it runs, and
/// loading takes libbpf 18 to 29 ms where this takes one, out of the 60 ms that a ping may spend on
/// drop reasons. What CO-RE would do, finding a handful of offsets, is a few lines of `BTF`.
struct DropProgram {
  /// Where this kernel keeps what the program reads. Offsets in octets.
  struct Layout: Equatable {
    let buffer: Offsets
    /// `net_device.ifindex`.
    let deviceIndex: Int
    /// `net_device.nd_net.net` and `sock.__sk_common.skc_net.net`, pointers to `net`.
    let deviceNamespace: Int
    let socketNamespace: Int
    /// `dst_entry.dev`, the interface that a route leads out by.
    let routeDevice: Int
    /// `net.ns.inum`, the inode number.
    let namespaceNumber: Int
    /// Which argument of the tracepoint is the reason; nil before Linux 5.17.
    let reasonArgument: Int?

    /// Members of `sk_buff`.
    struct Offsets: Equatable {
      let device: Int
      let socket: Int
      /// Where it is routed to, with a flag in the lowest bit; nil where this kernel does not tell.
      let route: Int?
      /// The memory that the packet is in; the next two are offsets into it.
      let head: Int
      let networkHeader: Int
      let tail: Int
    }
  }

  /// The record that the program writes:
  ///
  ///   octet 0       8          16       20       24          28        32       112
  ///  +-------------+----------+--------+--------+-----------+---------+--------+---------+
  ///  | nanoseconds | location | reason | device | namespace | octets  | symbol | packet  |
  ///  | (monotonic) |          |        |        |           | in use  |        |         |
  ///  +-------------+----------+--------+--------+-----------+---------+--------+---------+
  enum Record {
    static let time = 0
    static let location = 8
    static let reason = 16
    static let device = 20
    static let namespace = 24
    static let count = 28
    static let symbol = 32
    static let symbolLength = 80
    static let packet = 112
    static let packetLength = 128
    static let length = 240
  }

  /// What the kernel prints an address with: function, offset, size and module.
  static let format = "%pS"

  var layout: Layout
  /// The inode number of the namespace whose drops are wanted.
  var namespace: UInt32
  var filter: DropFilter

  // The stack: the record, then a word for what is on the way.
  private static let record = -(Record.length + 8)
  private static let word = -8

  /// The program. `format` is the map with the text of that name, nil on a kernel whose programs
  /// cannot print (before Linux 5.13).
  func assembled(ring: Int32, lost: Int32, format: Int32?) -> [UInt64] {
    var program = BPFAssembler()
    let done = program.label()
    program.move(.r6, .r1)
    program.load(.u64, .r7, .r6, 0)
    // Nothing of the kernel's stack may leave it.
    for offset in stride(from: Self.record, to: 0, by: 8) {
      program.store(.u64, .stackEnd, offset, value: 0)
    }
    writeNamespaceTest(into: &program, refused: done)
    writePacket(into: &program, refused: done)
    writeFilter(into: &program, refused: done)
    writeRecord(into: &program, ring: ring, lost: lost, format: format, done: done)
    program.place(done)
    program.move(.r0, 0)
    program.exit()
    return program.assembled()
  }

  /// Reads `size` octets at from + offset to the stack. What cannot be read is zeros.
  private func read(
    _ size: Int32, at offset: Int, from: BPFAssembler.Register, to stack: Int,
    _ program: inout BPFAssembler
  ) {
    program.move(.r3, from)
    program.operate(.add, .r3, Int32(offset))
    program.move(.r1, .stackEnd)
    program.operate(.add, .r1, Int32(stack))
    program.move(.r2, size)
    program.call(.probeReadKernel)
  }

  /// Reads the pointer at from + offset into a register; 0 if it cannot be read.
  private func readPointer(
    _ to: BPFAssembler.Register, at offset: Int, from: BPFAssembler.Register,
    _ program: inout BPFAssembler
  ) {
    read(8, at: offset, from: from, to: Self.word, &program)
    program.load(.u64, to, .stackEnd, Self.word)
  }

  /// Goes on if the packet is in a wanted namespace: that of its device, otherwise that of its
  /// socket, otherwise that of its route. `sk_buff.dev` shares its place with what sockets note there about a packet that waits in
  /// their queue; such a thing does not lead to a namespace, and the socket is asked.
  private func writeNamespaceTest(
    into program: inout BPFAssembler, refused: BPFAssembler.Label
  ) {
    let noDevice = program.label()
    let unknown = program.label()
    let found = program.label()
    let number = Self.record + Record.namespace
    readPointer(.r8, at: layout.buffer.device, from: .r7, &program)
    program.jump(.r8, .equal, 0, to: noDevice)
    readPointer(.r9, at: layout.deviceNamespace, from: .r8, &program)
    read(4, at: layout.namespaceNumber, from: .r9, to: number, &program)
    program.load(.u32, .r1, .stackEnd, number)
    program.jump32(.r1, .equal, 0, to: noDevice)
    // What others drop is looked at as well, and its headers say whether it is wanted.
    if filter.elsewhere == nil { program.jump32(.r1, .notEqual, namespace, to: refused) }
    read(4, at: layout.deviceIndex, from: .r8, to: Self.record + Record.device, &program)
    program.jump(to: found)

    program.place(noDevice)
    func writeNumberTest() {
      read(4, at: layout.namespaceNumber, from: .r9, to: number, &program)
      program.load(.u32, .r1, .stackEnd, number)
      program.jump32(.r1, .equal, namespace, to: found)
      program.jump32(.r1, .notEqual, 0, to: filter.elsewhere == nil ? refused : found)
    }
    let noSocket = program.label()
    readPointer(.r8, at: layout.buffer.socket, from: .r7, &program)
    program.jump(.r8, .equal, 0, to: noSocket)
    readPointer(.r9, at: layout.socketNamespace, from: .r8, &program)
    writeNumberTest()
    program.place(noSocket)
    if let route = layout.buffer.route {
      // What this host answers with has no socket, and no device before it leaves.
      readPointer(.r8, at: route, from: .r7, &program)
      program.operate(.and, .r8, -2)
      program.jump(.r8, .equal, 0, to: unknown)
      readPointer(.r8, at: layout.routeDevice, from: .r8, &program)
      program.jump(.r8, .equal, 0, to: unknown)
      readPointer(.r9, at: layout.deviceNamespace, from: .r8, &program)
      writeNumberTest()
    }

    // None of them: it may still be ours. That is for the filter to say, if there is one.
    program.place(unknown)
    if filter.isEmpty { program.jump(to: refused) }
    program.place(found)
  }

  /// Goes on if the packet is one of those that are wanted, in its namespace.
  private func writeFilter(into program: inout BPFAssembler, refused: BPFAssembler.Label) {
    let (packet, count) = (Self.record + Record.packet, Record.packetLength)
    let here = program.label()
    let passed = program.label()
    if filter.elsewhere != nil {
      program.load(.u32, .r1, .stackEnd, Self.record + Record.namespace)
      program.jump32(.r1, .equal, 0, to: here)
      program.jump32(.r1, .equal, namespace, to: here)
      filter.writeElsewhere(into: &program, packet: packet, count: count, refused: refused)
      program.jump(to: passed)
    }
    program.place(here)
    filter.write(into: &program, packet: packet, count: count, refused: refused)
    program.place(passed)
  }

  /// Copies the packet from its network header on, as much of it as lies in one piece.
  private func writePacket(into program: inout BPFAssembler, refused: BPFAssembler.Label) {
    let fits = program.label()
    let count = Self.record + Record.count
    readPointer(.r8, at: layout.buffer.head, from: .r7, &program)
    program.store(.u64, .stackEnd, Self.word, value: 0)
    read(2, at: layout.buffer.networkHeader, from: .r7, to: Self.word, &program)
    program.load(.u64, .r9, .stackEnd, Self.word)
    program.add(.r8, .r9)
    read(4, at: layout.buffer.tail, from: .r7, to: count, &program)
    program.load(.u32, .r2, .stackEnd, count)
    program.subtract32(.r2, .r9)
    // A packet that has no network header (yet).
    program.jump32(.r2, .signedLessOrEqual, 0, to: refused)
    program.jump(.r2, .greater, Int32(Record.packetLength), to: fits)
    let clamped = program.label()
    program.jump(to: clamped)
    program.place(fits)
    program.move(.r2, Int32(Record.packetLength))
    program.place(clamped)
    program.store(.u32, .stackEnd, count, .r2)
    program.move(.r3, .r8)
    program.move(.r1, .stackEnd)
    program.operate(.add, .r1, Int32(Self.record + Record.packet))
    program.call(.probeReadKernel)
    program.jump(.r0, .notEqual, 0, to: refused)
  }

  /// Fills in the rest of the record and puts it into the ring, or counts it when that is full.
  private func writeRecord(
    into program: inout BPFAssembler, ring: Int32, lost: Int32, format: Int32?,
    done: BPFAssembler.Label
  ) {
    program.call(.ktimeGetNanoseconds)
    program.store(.u64, .stackEnd, Self.record + Record.time, .r0)
    program.load(.u64, .r1, .r6, 8)
    program.store(.u64, .stackEnd, Self.record + Record.location, .r1)
    if let argument = layout.reasonArgument {
      program.load(.u64, .r1, .r6, 8 * argument)
      program.store(.u32, .stackEnd, Self.record + Record.reason, .r1)
    }
    if let format {
      // The kernel names the place itself: a few microseconds, for the few packets that are ours.
      // Reading /proc/kallsyms for it takes 60 ms, and is restricted more often.
      program.move(.r1, .stackEnd)
      program.operate(.add, .r1, Int32(Self.record + Record.symbol))
      program.move(.r2, Int32(Record.symbolLength))
      program.loadAddress(.r3, ofValueIn: format)
      program.move(.r4, .stackEnd)
      program.operate(.add, .r4, Int32(Self.record + Record.location))
      program.move(.r5, 8)
      program.call(.snprintf)
    }
    program.loadMap(.r1, ring)
    program.move(.r2, .stackEnd)
    program.operate(.add, .r2, Int32(Self.record))
    program.move(.r3, Int32(Record.length))
    program.move(.r4, 0)
    program.call(.ringBufferOutput)
    program.jump(.r0, .equal, 0, to: done)
    program.loadAddress(.r1, ofValueIn: lost)
    program.move(.r2, 1)
    program.atomicAdd(.r1, 0, .r2)
  }
}

extension DropProgram.Layout {
  /// Throws with the name of what the BTF does not have.
  init(_ btf: BTF) throws(KernelError) {
    func offset(_ path: String, _ size: Int) throws(KernelError) -> Int {
      guard let field = btf.field(path), field.size == size else {
        throw KernelError(
          cannot: "ask the kernel for drop reasons",
          help: "this kernel's \(path) is not as nftrace knows it")
      }
      return field.offset
    }
    buffer = Offsets(
      device: try offset("sk_buff.dev", 8), socket: try offset("sk_buff.sk", 8),
      route: btf.field("sk_buff._skb_refdst").flatMap { $0.size == 8 ? $0.offset : nil },
      head: try offset("sk_buff.head", 8),
      networkHeader: try offset("sk_buff.network_header", 2),
      tail: try offset("sk_buff.tail", 4))
    routeDevice = try offset("dst_entry.dev", 8)
    deviceIndex = try offset("net_device.ifindex", 4)
    deviceNamespace = try offset("net_device.nd_net.net", 8)
    socketNamespace = try offset("sock.__sk_common.skc_net.net", 8)
    namespaceNumber = try offset("net.ns.inum", 4)
    // The first parameter is the tracepoint's own; then come the packet and the place.
    guard let parameters = btf.parameters(ofPointer: "btf_trace_kfree_skb")?.dropFirst(),
      parameters.first == "sk_buff *", parameters.count >= 2
    else {
      throw KernelError(
        cannot: "ask the kernel for drop reasons",
        help: "this kernel's tracepoint kfree_skb is not as nftrace knows it")
    }
    reasonArgument = Array(parameters).firstIndex(of: "skb_drop_reason")
  }
}
