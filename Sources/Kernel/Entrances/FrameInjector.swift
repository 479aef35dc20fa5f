internal import CNetfilter
internal import Glibc
internal import Trace
package import Wire

/// Gives the kernel packets as if one of its interfaces had received them, whatever the interface is: rules
/// that ask for the interface, ingress chains, tc filters, its bridge and per-interface sysctls are met for
/// real.
///
/// A SCHED_CLS program that calls `bpf_clone_redirect()` with `BPF_F_INGRESS` is run once on the frame, by
/// BPF_PROG_TEST_RUN: the copy is received on that interface, where the kernel takes the Ethernet header
/// off if the interface has none. The program is attached to nothing, so that no other traffic meets it. What
/// comes in by a driver meets its native XDP program first, and these frames do not.
package struct FrameInjector: ~Copyable {
  private let way: Way
  /// The interface's name.
  package let name: String
  /// Its index.
  package let index: UInt32
  /// Its own link-layer address; nil where it has no Ethernet header.
  package let address: HardwareAddress?

  /// How frames get there.
  private enum Way {
    /// By a program that is run once for each.
    case program(Program)
    /// From the other end of its pair, of this number, by a packet socket there.
    case wire(Wire, otherEnd: UInt32)
  }

  private final class Program: Sendable {
    let program: BPFProgram
    init(_ program: consuming BPFProgram) { self.program = program }
  }

  private final class Wire: Sendable {
    let socket: FileDescriptor
    init(_ socket: consuming FileDescriptor) { self.socket = socket }
  }

  /// Octets of a frame at most, Ethernet's 14 included. The kernel keeps a frame and what it notes
  /// about it in one page of memory: some 3500 octets are left for the frame.
  package static let maximumLength = 3072

  /// `BPF_F_INGRESS` of <linux/bpf.h>.
  private static let ingress: Int32 = 1

  /// Prepares for packets on this interface, which must be up. Throws with words for what helps: no such
  /// interface, the loopback, one that is down; no capabilities.
  package init(interface name: String) throws(KernelError) {
    let link = try Self.link(name)
    way = .program(Program(try Self.redirecting(to: link.index, attempt: Self.attempt(name))))
    self.name = name
    address = link.isEthernet ? link.address : nil
    index = link.index
  }

  /// The same, from the other end of the interface's pair: whoever may not load a program can do that. `wire` is a
  /// packet socket there, which is taken over.
  init(
    interface name: String, wire: consuming FileDescriptor, otherEnd: UInt32
  ) throws(KernelError) {
    let link = try Self.link(name)
    way = .wire(Wire(wire), otherEnd: otherEnd)
    self.name = name
    address = link.isEthernet ? link.address : nil
    index = link.index
  }

  /// Whether frames come from the other end of a pair.
  package var isWire: Bool { wireEnd != nil }

  /// The number of that other end.
  package var wireEnd: UInt32? { if case .wire(_, let end) = way { end } else { nil } }

  private static func attempt(_ name: String) -> String { "let a packet arrive on \(name)" }

  /// The interface of this name, on which something can arrive.
  private static func link(_ name: String) throws(KernelError) -> LinkMessage {
    var routes = try RouteSocket()
    guard let link = try routes.link(name) else {
      throw KernelError(.usage, cannot: attempt(name), help: try routes.absence(of: name))
    }
    if let reason = Self.fault(in: link) {
      throw KernelError(.usage, cannot: attempt(name), help: reason)
    }
    return link
  }

  /// A program that has a copy of its packet received on an interface, and returns an errno below 0 where
  /// that failed.
  private static func redirecting(
    to index: UInt32, attempt: String
  ) throws(KernelError) -> BPFProgram {
    var program = BPFAssembler()
    program.move(.r2, Int32(bitPattern: index))
    program.move(.r3, ingress)
    program.call(.cloneRedirect)
    program.exit()
    return try BPFProgram(.classifier, program.assembled(), attempt: attempt)
  }

  /// What is missing for this way in, as a sentence; nil if it is there. It is tried, with an
  /// interface that there is not.
  static func availability() -> String? {
    do {
      let program = try redirecting(
        to: UInt32(Int32.max), attempt: "let packets arrive on an interface")
      let code = run(program.descriptor, [UInt8](repeating: 0, count: 64))
      return code == EINVAL ? nil : help(for: code)
    } catch {
      return error.help ?? error.description
    }
  }

  /// Why nothing can arrive on this interface; nil if it can.
  static func fault(in link: LinkMessage) -> String? {
    if link.flags.contains(.loopback) {
      return "\(link.name) is the loopback: what arrives there this host has sent itself. Send the "
        + "probe as local output instead (--local)"
    }
    if !link.flags.contains(.up) {
      return "\(link.name) is down, so nothing can arrive there"
        + Command.advice(about: link.name) { "ip link set dev \($0) up" }
    }
    return nil
  }

  /// The Ethernet frame around an IP packet (IEEE 802.3; the types are those of RFC 894 and RFC 2464). An
  /// interface without Ethernet's header takes the packet alone, and the addresses do not matter.
  package borrowing func frame(
    _ packet: [UInt8], from source: HardwareAddress, to destination: HardwareAddress? = nil
  ) -> [UInt8] {
    let type: [UInt8] = (packet.first ?? 0x40) >> 4 == 6 ? [0x86, 0xdd] : [0x08, 0x00]
    let nobody = HardwareAddress([0, 0, 0, 0, 0, 0])
    return (destination ?? address ?? nobody).bytes + source.bytes + type + packet
  }

  /// Gives the kernel one frame. It takes the packet through its hooks before this returns, so that
  /// `Injection` is the better way while somebody has to read what is said about it. The calling
  /// thread must be in the namespace of the interface. That the interface is up was looked at when this
  /// value was made. Throws where the frame is too long, or the interface gone.
  package borrowing func inject(_ frame: [UInt8]) throws(KernelError) {
    try check(length: frame.count)
    let code = injecting(frame)()
    if code != 0 { throw failure(code) }
  }

  /// Throws when the kernel would not take a frame of so many octets.
  borrowing func check(length: Int) throws(KernelError) {
    guard length > 14, length <= Self.maximumLength else {
      throw KernelError(
        .usage, cannot: Self.attempt(name),
        help: length > 14
          ? "the packet has \(length - 14) octets; \(Self.maximumLength - 14) are the most that can "
            + "be put in this way"
          : "the packet is empty")
    }
  }

  /// What the errno of an injection means.
  package borrowing func failure(_ code: Int32) -> KernelError {
    KernelError(
      cannot: Self.attempt(name), function: "bpf(BPF_PROG_TEST_RUN)", errno: code,
      help: code == EINVAL ? Self.fault(ofIndex: index) : Self.help(for: code))
  }

  /// Why the interface of this index takes nothing any more.
  private static func fault(ofIndex index: UInt32) -> String {
    var routes = try? RouteSocket()
    guard let links = try? routes?.links() else { return help(for: EINVAL)! }
    return links.contains { $0.index == index }
      ? "The interface is down." : "The interface was removed, or is in another network namespace."
  }

  /// What would help against an errno of bpf(BPF_PROG_TEST_RUN), or of the program.
  static func help(for code: Int32) -> String? {
    switch code {
    case EINVAL: "The interface is down, was removed, or is in another network namespace."
    case EPERM, EACCES: "This needs CAP_NET_ADMIN and CAP_BPF: run it as root (sudo)."
    default: nil
    }
  }

  /// A closure that injects the frame and returns an errno, 0 if that went well; for `Injection`. The
  /// injector must live until it has been called.
  borrowing func injecting(_ frame: [UInt8]) -> @Sendable () -> Int32 {
    switch way {
    case .program(let program):
      let number = program.program.descriptor
      return { Self.run(number, frame) }
    case .wire(let wire, let otherEnd):
      let number = wire.socket.number
      return {
        // Sound: the call reads as many octets as the array has.
        unsafe nftrace_send_frame(number, frame, frame.count, otherEnd) < 0 ? errno : 0
      }
    }
  }

  /// Sound: the kernel copies as many octets as the array has, during the call.
  private static func run(_ program: Int32, _ frame: [UInt8]) -> Int32 {
    var result: Int32 = 0
    let failed = unsafe nftrace_run_classifier(program, frame, UInt32(frame.count), &result)
    return failed < 0 ? errno : result < 0 ? -result : 0
  }
}
