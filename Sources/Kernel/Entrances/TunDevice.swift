internal import CNetfilter
internal import Glibc
package import Trace
package import Wire

/// A TUN device, open: what is written to it the kernel takes for received, what the kernel sends
/// through it is read from it. Packets come and go without a header of their own (`IFF_NO_PI`), but
/// for those of a device that was made otherwise: opening it another way would change it.
/// Documentation/networking/tuntap.rst of the kernel.
///
/// A device that is not persistent goes with this value, and its addresses and routes with it. A
/// persistent one that nobody has open drops what it is given to send.
package struct TunDevice: ~Copyable {
  private let file: FileDescriptor
  /// The interface's name; the one the kernel chose where it was asked to.
  package let name: String
  /// Index of the interface.
  package let index: UInt32
  /// Whether opening it gave it a carrier: without one, what is written to it comes in all the same,
  /// and what the kernel sends through it is thrown away behind its egress hook.
  package let hasCarrier: Bool
  /// Whether the kernel wants flags and a protocol before each packet (`struct tun_pi`).
  private let hasPacketInformation: Bool
  /// Octets of the `virtio_net_hdr` before each packet.
  private let virtioHeaderLength: Int

  /// The file descriptor, for poll(2). Valid as long as this value lives.
  package var descriptor: Int32 { file.number }

  /// Largest packet there is, in octets.
  private static let largestPacket = 65536

  /// Octets of an interface's name, its terminating zero included (`IFNAMSIZ`).
  private static let nameSize = 16

  /// Octets of `struct tun_pi`.
  private static let packetInformationLength = 4

  /// Attaches to the TUN device of this name, or makes it; "nftrace%d" lets the kernel choose the
  /// number. Throws with words for what helps: the name is no name, or is that of something else; the
  /// device is in use; /dev/net/tun is missing; CAP_NET_ADMIN is missing. The corresponding request
  /// is `TUNSETIFF`.
  ///
  /// With `carrier` false it stays without one where the kernel can leave it so (since Linux 6.2). A
  /// first carrier is no small thing to a device: the kernel gives it a link-local address and routes
  /// that stay when the carrier has gone, and routing daemons take notice. For that, too, one that
  /// there is already is not touched if it `mustBeNew`.
  package init(
    _ name: String, carrier: Bool = true, mustBeNew: Bool = false
  ) throws(KernelError) {
    let attempt =
      name.contains("%")
      ? "make a TUN device" : "\(mustBeNew ? "make" : "open") the TUN device \(name)"
    if let reason = Self.fault(inName: name) {
      throw KernelError(.usage, cannot: attempt, help: reason)
    }
    var socket = try RouteSocket()
    let existing = try socket.link(name)
    if mustBeNew, existing != nil {
      throw KernelError(
        .usage, cannot: attempt, help: "it exists; give the name of a device that can be made")
    }
    if let existing, existing.kind != "tun" || existing.tun?.isTap == true {
      throw Self.notTun(attempt, name, existing.tun?.isTap == true ? "TAP" : existing.kind)
    }
    let file = try Self.openCloneDevice(attempt: attempt)
    var flags = IFF_TUN
    let hasInformation = existing?.tun?.hasPacketInformation == true
    if !hasInformation { flags |= IFF_NO_PI }
    let hasVirtioHeader = existing?.tun?.hasVirtioHeader == true
    if hasVirtioHeader { flags |= IFF_VNET_HDR }
    // A device that was made for several queues refuses who does not say so.
    if existing?.tun?.isMultiQueue == true { flags |= IFF_MULTI_QUEUE }
    let isSilent = !carrier && nftrace_tun_features(file.number) & UInt32(IFF_NO_CARRIER) != 0
    if isSilent { flags |= IFF_NO_CARRIER }
    var buffer = name.octets.map { CChar(bitPattern: $0) }
    buffer += Array(repeating: 0, count: Self.nameSize - buffer.count)
    // Sound: the buffer has the IFNAMSIZ octets that the function reads and writes.
    guard unsafe nftrace_tun_attach(file.number, &buffer, Int16(truncatingIfNeeded: flags)) == 0
    else { throw Self.failure(attempt, name, errno: errno) }
    let chosen = String(octets: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) })
    let length = hasVirtioHeader ? nftrace_tun_header_size(file.number) : 0
    if length < 0 {
      throw KernelError(cannot: attempt, function: "ioctl TUNGETVNETHDRSZ", errno: errno)
    }
    index = try socket.existingLink(chosen).index
    self.name = chosen
    hasPacketInformation = hasInformation
    virtioHeaderLength = Int(length)
    self.hasCarrier = !isSilent
    self.file = file
  }

  private static func openCloneDevice(attempt: String) throws(KernelError) -> FileDescriptor {
    do {
      return try FileDescriptor("/dev/net/tun", O_RDWR | O_NONBLOCK)
    } catch {
      let help: String? =
        switch error.code {
        case ENOENT, ENODEV, ENXIO:
          "/dev/net/tun is missing: load the module with 'modprobe tun'; in a container, pass the "
            + "device into it (--device /dev/net/tun)"
        case EACCES, EPERM:
          "opening /dev/net/tun is not allowed: run as root; in a container, pass the device into it"
        default: nil
        }
      throw KernelError(cannot: attempt, function: "open", errno: error.code, help: help)
    }
  }

  /// Whether a program of this namespace has this device open: then what is to come in through it cannot be
  /// written to it. A device that nobody has open is without a carrier: only where there is one are all
  /// processes looked through, which takes milliseconds.
  package static func isHeld(_ link: LinkMessage) -> Bool {
    link.carrier != false && TunUser.all(of: link.name).contains(where: \.isHere)
  }

  // MARK: Properties

  /// Whether the device stays when it is closed. The corresponding request is `TUNSETPERSIST`.
  package borrowing func setPersistent(_ on: Bool) throws(KernelError) {
    guard nftrace_tun_persist(file.number, on ? 1 : 0) == 0 else {
      throw KernelError(
        cannot: "make \(name) \(on ? "persistent" : "go when it is closed")", function: "ioctl",
        errno: errno)
    }
  }

  /// Gives it the carrier that it was opened without: what the kernel sends can be read from then on.
  /// The corresponding request is `TUNSETCARRIER`.
  package borrowing func raiseCarrier() throws(KernelError) {
    guard nftrace_tun_carrier(file.number, 1) == 0 else {
      throw KernelError(cannot: "give \(name) a carrier", function: "ioctl", errno: errno)
    }
  }

  /// What decides whether it needs a carrier.
  package borrowing func silentState() throws(KernelError) -> SilentDeviceState {
    var ignoresRoutes = false
    for family in [4, 6] {
      for name in ["all", name] {
        let setting = Sysctl.interface(name, family: family, "ignore_routes_with_linkdown")
        if let setting, setting.exists, try setting.read() != "0" { ignoresRoutes = true }
      }
    }
    var routes = try RouteSocket()
    let index = index
    let hasQueue = try routes.qdiscs().contains { $0.interface == index && !$0.isDefault }
    return SilentDeviceState(
      ignoresRoutes: ignoresRoutes,
      hasDiscipline: hasQueue || nftrace_bpf_tcx_egress(index) > 0)
  }

  /// Sets the MTU, in octets.
  package borrowing func setMTU(_ mtu: UInt32) throws(KernelError) {
    var socket = try RouteSocket()
    try socket.setLink(name, mtu: mtu)
  }

  // MARK: Packets

  /// The next packet the kernel sent through the device; nil if there is none at the moment.
  package borrowing func read() throws(KernelError) -> [UInt8]? {
    var packet: [UInt8] = []
    do {
      try syscall {
        // Sound: read() fills at most the buffer, and only what it filled is copied. A buffer on the
        // stack, so that a packet that is kept takes no more than its own length.
        unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.largestPacket) {
          buffer in
          let count = unsafe Glibc.read(file.number, buffer.baseAddress!, buffer.count)
          if count > 0 { packet = unsafe Array(buffer[..<count]) }
          return count
        }
      }
    } catch {
      if error.code == EAGAIN { return nil }
      throw failure("read from \(name)", "read", error.code)
    }
    return Array(packet.dropFirst(headerLength))
  }

  /// Octets before each packet.
  private var headerLength: Int {
    (hasPacketInformation ? Self.packetInformationLength : 0) + virtioHeaderLength
  }

  /// A packet as it is written to the descriptor: behind the headers that the device was made with.
  package borrowing func framed(_ packet: [UInt8]) -> [UInt8] {
    guard headerLength > 0, let first = packet.first else { return packet }
    // No flags, and an ETH_P_… of <linux/if_ether.h>; then nothing is left to a network card to do.
    let information: [UInt8] = first >> 4 == 6 ? [0, 0, 0x86, 0xdd] : [0, 0, 0x08, 0x00]
    return (hasPacketInformation ? information : [])
      + Array(repeating: 0, count: virtioHeaderLength) + packet
  }

  /// Gives the kernel a packet as if it had been received; IPv4 and IPv6 are told apart by its first
  /// four bits. The kernel takes it through its hooks before this returns.
  package borrowing func write(_ packet: [UInt8]) throws(KernelError) {
    let framed = framed(packet)
    do {
      try syscall {
        // Sound: the pointer and the size are those of one array, which the call only reads.
        unsafe framed.withUnsafeBytes {
          unsafe Glibc.write(file.number, $0.baseAddress, $0.count)
        }
      }
    } catch {
      throw failure("write a packet to \(name)", "write", error.code)
    }
  }

  borrowing func failure(
    _ attempt: String, _ function: String, _ code: Int32
  ) -> KernelError {
    let help: String? =
      switch code {
      case EIO: "the interface is down"
      case EBADFD: "the interface was removed"
      case EINVAL: "the packet is neither IPv4 nor IPv6"
      default: nil
      }
    return KernelError(cannot: attempt, function: function, errno: code, help: help)
  }

  // MARK: Errors

  /// Why an interface cannot have this name; nil if it can (`dev_valid_name` of the kernel).
  package static func fault(inName name: String) -> String? {
    let octets = name.octets
    if octets.isEmpty { return "a name is missing" }
    if octets.count >= nameSize {
      return "an interface's name has at most \(nameSize - 1) characters"
    }
    if name == "." || name == ".."
      || octets.contains(where: { $0 <= 0x20 || $0 == 0x2f || $0 == 0x3a })
    {
      return "that cannot be an interface's name"
    }
    let percents = octets.count { $0 == 0x25 }
    if percents > 1 || percents == 1 && !name.contains("%d") {
      return "'%' in an interface's name stands before 'd' only, where the kernel puts a number"
    }
    return nil
  }

  private static func notTun(_ attempt: String, _ name: String, _ kind: String?) -> KernelError {
    let article = kind.map { "a \($0) interface" } ?? "an interface that is not virtual"
    return KernelError(
      .usage, cannot: attempt, help: "\(name) is no TUN device but \(article); give another name")
  }

  private static func failure(_ attempt: String, _ name: String, errno code: Int32) -> KernelError {
    var error = KernelError(cannot: attempt, function: "ioctl TUNSETIFF", errno: code)
    switch code {
    case EBUSY:
      let users = TunUser.all(of: name)
      error.help =
        users.isEmpty
        ? "another program has it open"
        : "in use by "
          + users.map { "process \($0.process) (\($0.command))" }.joined(separator: ", ")
    case EPERM, EACCES:
      error.help =
        "it needs CAP_NET_ADMIN: run as root; or let root make the device for you with "
        + "'ip tuntap add \(name.contains("%") ? "tun0" : name) mode tun user NAME'"
    case EINVAL:
      error.kind = .usage
      error.help = "\(name) exists and is no TUN device of this kind"
    case ENOTTY:
      error.help = "/dev/net/tun is something else than the TUN driver's device: see 'man 4 tun'"
    default: break
    }
    return error
  }
}
