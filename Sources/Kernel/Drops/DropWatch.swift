internal import CNetfilter
internal import Glibc
package import Wire

/// Listens to the kernel throwing packets away, with its reasons: the tracepoint skb:kfree_skb, in
/// one network namespace, for the packets of a filter. Both are looked at in the kernel, so that
/// other people's drops cost a comparison and no room.
///
/// It begins when the value is made and ends with it, and with the process, however that ends.
package struct DropWatch: ~Copyable {
  private var ring: BPFRing
  private let lostCount: BPFMap
  private let link: FileDescriptor
  private let reasons: [UInt32: String]
  private let hasReasons: Bool

  /// Events that are held until they are read: a thousand of them. More are counted as lost.
  private static let ringSize = 256 << 10

  /// Begins to listen for drops in the namespace of the calling thread, or in another one. Throws
  /// when the kernel does not let us, with words for what is missing: BTF, capabilities, lockdown. What is found out
  /// of this kernel's types is kept in `directory`, for the next time.
  package init(
    filter: DropFilter, namespace: NetworkNamespace.Identity? = nil,
    keepingIn directory: String? = nil
  ) throws(KernelError) {
    try BPF.refuseLockdown("ask the kernel for drop reasons")
    // Whether we may do this at all, before megabytes are read for it.
    _ = try BPFMap.counter()
    try self.init(
      kernel: try DropLayout.ofThisKernel(keptIn: directory), filter: filter, namespace: namespace)
  }

  init(
    kernel: DropLayout, filter: DropFilter, namespace: NetworkNamespace.Identity?
  ) throws(KernelError) {
    guard filter.prefixes.count <= DropFilter.maximumPrefixes else {
      throw KernelError(
        .usage, cannot: "listen for drops of \(filter.prefixes.count) prefixes",
        help: "at most \(DropFilter.maximumPrefixes) can be told apart in the kernel")
    }
    let wanted: NetworkNamespace.Identity
    if let namespace {
      wanted = namespace
    } else {
      wanted = try NetworkNamespace.current().identity
    }
    let ring = try BPFRing(size: Self.ringSize)
    let lost = try BPFMap.counter()
    let program = DropProgram(
      layout: kernel.layout, namespace: UInt32(truncatingIfNeeded: wanted.inode), filter: filter)
    link = try Self.start(program, ring: ring.map.descriptor, lost: lost.descriptor)
    hasReasons = kernel.layout.reasonArgument != nil
    reasons = kernel.reasons
    self.ring = ring
    lostCount = lost
  }

  /// Loads the program and attaches it. The link keeps the program, and that its maps.
  private static func start(
    _ program: DropProgram, ring: Int32, lost: Int32
  ) throws(KernelError) -> FileDescriptor {
    let attempt = "ask the kernel for drop reasons"
    if let format = try? BPFMap.constant(DropProgram.format) {
      do {
        let instructions = program.assembled(
          ring: ring, lost: lost, format: format.descriptor)
        return try BPFProgram(.rawTracepoint, instructions, attempt: attempt)
          .attach(toTracepoint: "kfree_skb")
      } catch {
        // EINVAL: the kernel does not know the helper that prints (before Linux 5.13).
        guard error.errno == EINVAL else { throw error }
      }
    }
    return try BPFProgram(
      .rawTracepoint, program.assembled(ring: ring, lost: lost, format: nil), attempt: attempt
    ).attach(toTracepoint: "kfree_skb")
  }

  // MARK: Reading

  /// Readable, for poll(2), when there are events. Valid as long as this value lives.
  package var fileDescriptor: Int32 { ring.map.descriptor }

  /// Events that there was no room for, since the beginning. Throws if the kernel cannot be asked.
  package borrowing func lost() throws(KernelError) -> UInt64 { try lostCount.count() }

  /// Hands over the events that there are, oldest first. Does not wait.
  ///
  /// Their times are the kernel's at the moment of the drop, moved from CLOCK_MONOTONIC to the epoch as
  /// `Clock.realtime` is: comparable with those of netlink messages, which have the time at which they were
  /// read and so a later one.
  package mutating func drain(into body: (DropEvent) -> Void) {
    let difference = Clock.difference
    let reasons = reasons
    let hasReasons = hasReasons
    ring.drain { octets in
      guard
        let event = DropRecord.event(
          octets, clockDifference: difference, reasons: reasons, hasReasons: hasReasons),
        // The frame that a program was tried on is none that was received or sent.
        event.location?.hasPrefix("bpf_prog_test_run_skb") != true
      else { return }
      body(event)
    }
  }

  // MARK: Whether it works

  /// What this kernel does not tell, as a sentence; nil if it tells all.
  package var shortcoming: String? {
    hasReasons
      ? nil : "the kernel tells where packets are dropped but not why: Linux 5.17 and later do"
  }

  /// What is missing for drop reasons here, as a sentence; nil if they can be had. It is tried: a
  /// watch is made and ended, which takes some milliseconds.
  package static func availability() -> String? {
    do {
      return try DropWatch(filter: DropFilter(nonce: 0)).shortcoming
    } catch {
      return error.help ?? error.description
    }
  }
}
