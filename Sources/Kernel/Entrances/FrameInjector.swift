internal import CNetfilter
internal import Glibc
internal import Trace
package import Wire

/// Gives the kernel Ethernet frames as if one of its interfaces had received them: rules that ask for
/// the interface, ingress chains and per-interface sysctls are met for real.
///
/// An XDP program that passes everything is run on the frame with `BPF_F_TEST_XDP_LIVE_FRAMES`, from
/// Linux 5.18 on: Documentation/bpf/bpf_prog_run.rst of the kernel. The program is attached to no
/// interface, so that no other traffic meets it, and XDP programs of the interface do not meet the
/// frame.
package struct FrameInjector: ~Copyable {
  private let program: BPFProgram
  /// The interface's name.
  package let name: String
  /// Its index.
  package let index: UInt32
  /// The address frames are to be sent to, its own: others are dropped, or forwarded by a bridge.
  package let address: HardwareAddress

  /// Octets of a frame at most, Ethernet's 14 included. The kernel keeps a frame and what it notes
  /// about it in one page of memory: 3408 octets are left for the frame on 6.18, and some fewer where
  /// the notes are longer.
  package static let maximumLength = 3072

  /// What ARPHRD_ETHER is: <linux/if_arp.h>.
  private static let ethernet: UInt16 = 1

  /// `XDP_PASS` of <linux/bpf.h>.
  private static let pass: Int32 = 2

  /// Prepares for frames on this interface, which must be an Ethernet one, and up. Throws with words
  /// for what helps: no such interface, the loopback, a TUN, one that is down; no capabilities.
  package init(interface name: String) throws(KernelError) {
    let attempt = "let a packet arrive on \(name)"
    var routes = try RouteSocket()
    guard let link = try routes.link(name) else {
      throw KernelError(
        .usage, cannot: attempt, help: "there is no interface of this name here: see 'ip link'")
    }
    if let reason = Self.fault(in: link) {
      throw KernelError(.usage, cannot: attempt, help: reason)
    }
    guard let address = link.address else {
      throw KernelError(.usage, cannot: attempt, help: "\(name) has no hardware address")
    }
    program = try Self.passing(attempt: attempt)
    self.name = name
    self.address = address
    index = link.index
  }

  /// A program that passes everything.
  private static func passing(attempt: String) throws(KernelError) -> BPFProgram {
    var program = BPFAssembler()
    program.move(.r0, pass)
    program.exit()
    return try BPFProgram(.xdp, program.assembled(), attempt: attempt)
  }

  /// What is missing for this way in, as a sentence; nil if it is there. It is tried, with an
  /// interface that there is not.
  static func availability() -> String? {
    do {
      let program = try passing(attempt: "let packets arrive on an interface")
      let code = run(program.descriptor, UInt32(Int32.max), [UInt8](repeating: 0, count: 64))
      return code == ENODEV ? nil : help(for: code, release: Machine.kernelRelease)
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
    if link.kind == "tun", link.tun?.isTap != true {
      return "\(link.name) is a TUN device, which has no Ethernet frames: the probe can be written "
        + "to it instead (--tun \(link.name))"
    }
    if link.hardwareType != Self.ethernet {
      return "\(link.name) is no Ethernet interface (hardware type \(link.hardwareType)). Let the "
        + "probe come in through a TUN device instead (without --in)"
    }
    if !link.flags.contains(.up) {
      return "\(link.name) is down, so nothing can arrive there"
        + Command.advice(about: link.name) { "ip link set \($0) up" }
    }
    return nil
  }

  /// The Ethernet frame around an IP packet, from `source` to this interface (IEEE 802.3; the types
  /// are those of RFC 894 and RFC 2464).
  package borrowing func frame(_ packet: [UInt8], from source: HardwareAddress) -> [UInt8] {
    let type: [UInt8] = (packet.first ?? 0x40) >> 4 == 6 ? [0x86, 0xdd] : [0x08, 0x00]
    return address.bytes + source.bytes + type + packet
  }

  /// Gives the kernel one frame. It takes the packet through its hooks before this returns, so that
  /// `Injection` is the better way while somebody has to read what is said about it. The calling
  /// thread must be in the namespace of the interface. That the interface is up was looked at when this
  /// value was made: the kernel takes frames for any interface. Throws where the frame is too long,
  /// the kernel older than 5.18, or the interface gone.
  package borrowing func inject(_ frame: [UInt8]) throws(KernelError) {
    try check(length: frame.count)
    let code = Self.run(program.descriptor, index, frame)
    if code != 0 { throw failure(code) }
  }

  /// Throws when the kernel would not take a frame of so many octets.
  borrowing func check(length: Int) throws(KernelError) {
    guard length > 14, length <= Self.maximumLength else {
      throw KernelError(
        .usage, cannot: "let a packet arrive on \(name)",
        help: length > 14
          ? "the packet has \(length - 14) octets; \(Self.maximumLength - 14) are the most that can "
            + "be put in this way"
          : "the packet is empty")
    }
  }

  /// What the errno of an injection means.
  package borrowing func failure(_ code: Int32) -> KernelError {
    KernelError(
      cannot: "let a packet arrive on \(name)", function: "bpf(BPF_PROG_TEST_RUN)", errno: code,
      help: Self.help(for: code, release: Machine.kernelRelease))
  }

  /// What would help against an errno of bpf(BPF_PROG_TEST_RUN) on a kernel of this release.
  static func help(for code: Int32, release: String) -> String? {
    switch code {
    case EINVAL:
      "\(isTooOld(release) ? "This way in needs Linux 5.18 or later; this is" : "It was refused by Linux") "
        + "\(release). Let the probe come in through a TUN device instead (without --in)."
    case ENODEV: "The interface was removed, or is in another network namespace."
    case EPERM, EACCES: "This needs CAP_NET_ADMIN and CAP_BPF: run it as root (sudo)."
    default: nil
    }
  }

  /// Whether "5.10.0-46-cloud-amd64" comes before 5.18, with which live frames came.
  private static func isTooOld(_ release: String) -> Bool {
    let numbers = release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
    return numbers.lexicographicallyPrecedes([5, 18])
  }

  /// A closure that injects the frame and returns an errno, 0 if that went well; for `Injection`. The
  /// injector must live until it has been called.
  borrowing func injecting(_ frame: [UInt8]) -> @Sendable () -> Int32 {
    let (program, index) = (program.descriptor, index)
    return { Self.run(program, index, frame) }
  }

  /// Sound: the kernel copies as many octets as the array has, during the call.
  private static func run(_ program: Int32, _ index: UInt32, _ frame: [UInt8]) -> Int32 {
    let result = unsafe nftrace_xdp_live_frame(program, frame, UInt32(frame.count), index)
    return result < 0 ? errno : 0
  }
}
