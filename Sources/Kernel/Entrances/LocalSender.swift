internal import CNetfilter
internal import Glibc
package import Wire

/// Sends packets from this host, through the OUTPUT path, as programs do: echo requests through a raw
/// socket of ICMP's, datagrams through the UDP socket that holds their port. The kernel makes the
/// header, chooses the way and fragments what is too long. Only a TCP segment, which has no connection
/// here, goes out with its header as it is.
package final class LocalSender: Sendable {
  private let file: FileDescriptor
  /// Whether the IP header comes with the packet.
  private let includesHeader: Bool
  /// Whether routing is told of what protocol such a packet is.
  private let takesProtocol: Bool
  let fields: Fields
  /// The address that was asked for; nil leaves the choice to routing.
  let source: IPAddress?
  /// Why it sends nothing: the errno of who would send from that address.
  private let refusal: Int32?

  /// What the header of every packet says.
  package struct Fields: Sendable {
    /// 4 or 6.
    package var version: Int
    /// TTL or hop limit.
    package var ttl: UInt8
    /// Type of service or traffic class.
    package var tos: UInt8
    /// Whether nobody may fragment it, not even this host; nil where this host decides, as for what programs send.
    package var dontFragment: Bool?
    /// The packet mark it is sent with; nil for none.
    package var mark: UInt32?
    /// The number of the user whose socket sends it; nil is who runs the command.
    package var user: UInt32?
    /// The control group whose process sends it; nil is that of who runs the command.
    package var group: ControlGroup?
    /// Whether the IP header goes out as it is, of any protocol.
    package var keepsHeader = false
    /// The interface it is bound to: the only one by which it may leave.
    package var device: String?

    /// Fields of these values.
    package init(
      version: Int, ttl: UInt8, tos: UInt8, dontFragment: Bool?, mark: UInt32? = nil,
      user: UInt32? = nil
    ) {
      self.mark = mark
      self.user = user
      self.version = version
      self.ttl = ttl
      self.tos = tos
      self.dontFragment = dontFragment
    }
  }

  /// `IPPROTO_RAW` of <netinet/in.h>: with it, the header comes with the packet, in IPv6 as well.
  private static let raw: Int32 = 255

  /// Opens the socket. With `source`, which must be one of this host's addresses, routing knows it
  /// before it chooses.
  package init(_ proto: IPProtocol, _ fields: Fields, source: IPAddress?) throws(KernelError) {
    let family = fields.version == 4 ? AF_INET : AF_INET6
    includesHeader = !proto.isICMP || fields.keepsHeader
    takesProtocol = includesHeader && nftrace_takes_protocol() != 0
    let number = fields.socket(
      family, Int32(SOCK_RAW.rawValue), includesHeader ? Self.raw : Int32(proto.rawValue))
    guard number >= 0 else {
      let code = Glibc.errno
      throw KernelError(
        cannot: "send packets from this host", function: "socket", errno: code,
        help: RefusalAdvice.help(for: code, "CAP_NET_RAW", "raw sockets"))
    }
    file = FileDescriptor(owning: number)
    self.fields = fields
    self.source = source
    fields.apply(to: number)
    if !includesHeader { Self.refuseInput(number, fields.version) }
    guard let source else {
      refusal = nil
      return
    }
    // Sound: the address is there during the call, and bind() only reads it.
    let failed = unsafe Self.withAddress(source, port: 0) { unsafe Glibc.bind(number, $0, $1) }
    // An address that an interface has and may not use is no mistake of who asks.
    refusal = failed == EADDRNOTAVAIL && Self.has(source) ? failed : nil
    guard failed == 0 || refusal != nil else {
      throw KernelError(
        .usage, cannot: "send from \(source)", function: "bind", errno: failed,
        help: "With --local the source is one of this host's own addresses: see 'ip addr'.")
    }
  }

  /// Whether an interface of this host has the address, be it usable or not.
  private static func has(_ address: IPAddress) -> Bool {
    guard var routes = try? RouteSocket(), let own = try? routes.addresses() else { return false }
    return own.contains { $0.local.address == address }
  }

  /// The address from which the kernel would have a program send there that asks for none: by routing, and where that
  /// knows no way, by the likeness of addresses (RFC 6724), for which there may be one. nil if there is none.
  package func chosenSource(for destination: IPAddress, port: UInt16) -> IPAddress? {
    let number = fields.socket(
      fields.version == 4 ? AF_INET : AF_INET6, Int32(SOCK_DGRAM.rawValue), 0)
    guard number >= 0 else { return nil }
    let socket = FileDescriptor(owning: number)
    fields.apply(to: number)
    // Sound: the address is there during the call, which only reads it.
    let failed = unsafe Self.withAddress(destination, port: port) {
      unsafe Glibc.connect(socket.number, $0, $1)
    }
    if failed != 0 { return nil }
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    // Sound: the call writes no more than `length` octets, which the storage has.
    let result = unsafe withUnsafeMutablePointer(to: &storage) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe getsockname(socket.number, $0, &length)
      }
    }
    if result != 0 { return nil }
    // Sound: an address of either family is within the storage: behind family and port, in IPv6 the flow as well.
    return unsafe withUnsafeBytes(of: storage) { octets in
      let start = fields.version == 4 ? 4 : 8
      return unsafe IPAddress(bytes: Array(octets[start..<start + (fields.version == 4 ? 4 : 16)]))
    }
  }

  /// Takes a UDP port to send from; nil if somebody else has it. Nobody answers a datagram's answer
  /// with an error while it is held.
  package func hold(port: UInt16) -> HeldPort? { HeldPort(port, on: source, fields) }

  /// A closure that sends the packet, whose octets these are, and returns an errno, 0 if that went well. A
  /// datagram whose port is held goes out from there; but one that keeps its header does not.
  func sending(
    _ packet: Packet, as octets: [UInt8], from port: HeldPort?
  ) -> @Sendable () -> Int32 {
    let port = fields.keepsHeader ? nil : port
    let header = packet.source.family == 4 ? 20 : 40
    let bytes =
      port != nil ? packet.payload : includesHeader ? octets : Array(octets[header...])
    let destinationPort = port == nil ? 0 : packet.destinationPort ?? 0
    let refusal = refusal
    let proto = port == nil && takesProtocol ? Int32(packet.proto.rawValue) : nil
    return {
      if let refusal { return refusal }
      return unsafe Self.withAddress(packet.destination, port: destinationPort) { address, length in
        // Sound: the pointer and the count are those of one array, which the call only reads.
        let count = unsafe bytes.withUnsafeBytes {
          if let proto {
            return unsafe nftrace_send_packet(
              self.file.number, $0.baseAddress, $0.count, address, length, proto)
          }
          return unsafe sendto(
            port?.number ?? self.file.number, $0.baseAddress, $0.count, 0, address, length)
        }
        return count < 0 ? -1 : 0
      }
    }
  }

  /// What comes in is seen by the hooks. The socket is not to take it, nor to be full of it.
  private static func refuseInput(_ number: Int32, _ version: Int) {
    // ICMP_FILTER of <linux/icmp.h> and ICMPV6_FILTER of <linux/icmpv6.h>: a bit for each type.
    var all = [UInt32](repeating: .max, count: version == 4 ? 1 : 8)
    let size = socklen_t(all.count * MemoryLayout<UInt32>.size)
    // Sound: the size is that of the array, which the call only reads.
    unsafe setsockopt(number, version == 4 ? raw : Int32(IPProtocol.icmpv6.rawValue), 1, &all, size)
  }

  /// Calls `body` with the address as the C library has it; returns errno where that returns -1.
  static func withAddress(
    _ address: IPAddress, port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) -> Int32 {
    var storage = sockaddr_storage()
    let bytes = address.bytes
    let length =
      address.family == 4 ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size
    // Sound: both kinds of address fit into the storage, which is aligned for them.
    unsafe withUnsafeMutableBytes(of: &storage) { octets in
      let family = sa_family_t(address.family == 4 ? AF_INET : AF_INET6)
      unsafe octets.storeBytes(of: family, as: sa_family_t.self)
      unsafe octets.storeBytes(of: port.bigEndian, toByteOffset: 2, as: UInt16.self)
      for (index, byte) in bytes.enumerated() {
        unsafe octets[(address.family == 4 ? 4 : 8) + index] = byte
      }
    }
    let result = unsafe withUnsafePointer(to: &storage) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe body($0, socklen_t(length))
      }
    }
    return result < 0 ? Glibc.errno : 0
  }
}

extension LocalSender.Fields {
  /// A socket of who sends; -1 and an errno.
  func socket(_ family: Int32, _ kind: Int32, _ proto: Int32) -> Int32 {
    let type = kind | Int32(SOCK_CLOEXEC.rawValue)
    let user = user.map { Int($0) } ?? -1
    return group?.socket(user: user, family, type, proto)
      ?? nftrace_socket_of(user, family, type, proto)
  }

  /// Options of ip(7) and ipv6(7), whose levels are the protocols' numbers.
  func apply(to number: Int32) {
    func set(_ level: Int32, _ option: Int32, _ value: Int32) {
      var value = value
      // Sound: the size is that of the variable pointed to, which the call only reads.
      unsafe setsockopt(number, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }
    set(SOL_SOCKET, SO_BROADCAST, 1)
    if let device {
      var name = Array(device.utf8)
      // Sound: the pointer and the length are those of one array, which the call only reads.
      unsafe setsockopt(number, SOL_SOCKET, SO_BINDTODEVICE, &name, socklen_t(name.count))
    }
    if let mark { set(SOL_SOCKET, SO_MARK, Int32(bitPattern: mark)) }
    // IP_PMTUDISC_DO and IP_PMTUDISC_DONT, which IPv6 calls by the same numbers.
    let discovery: Int32? = dontFragment.map { $0 ? 2 : 0 }
    if version == 4 {
      set(0, IP_TOS, Int32(tos))
      set(0, IP_TTL, Int32(ttl))
      set(0, IP_MULTICAST_TTL, Int32(ttl))
      if let discovery { set(0, IP_MTU_DISCOVER, discovery) }
    } else {
      set(41, IPV6_TCLASS, Int32(tos))
      set(41, IPV6_UNICAST_HOPS, Int32(ttl))
      set(41, IPV6_MULTICAST_HOPS, Int32(ttl))
      if let discovery { set(41, IPV6_MTU_DISCOVER, discovery) }
      set(41, IPV6_DONTFRAG, dontFragment == true ? 1 : 0)
    }
  }
}
