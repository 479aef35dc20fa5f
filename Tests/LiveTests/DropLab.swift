import Glibc
import Kernel
import Testing
import Wire

/// A router in a namespace: a TUN device with 192.168.69.100/24 and fd00:69::100/64 on one side, the
/// interface up0 with 172.20.0.2/24 and fd00:20::2/64 and the default routes on the other. Behind up0
/// is a namespace with 172.20.0.1, fd00:20::1 and 198.51.100.10.
struct DropLab: ~Copyable {
  let tun: TunDevice
  var routes: RouteSocket
  private let server: NetworkNamespace

  /// Builds the lab around the calling thread's namespace, which must be new.
  init() throws {
    let server = try NetworkNamespace.create()
    let tun = try TunDevice("tun0")
    var routes = try RouteSocket()
    try routes.createVeth("up0", peer: "down0", peerNamespace: server.descriptor)
    for (name, addresses) in [
      ("tun0", ["192.168.69.100/24", "fd00:69::100/64"]),
      ("up0", ["172.20.0.2/24", "fd00:20::2/64"]),
    ] {
      for address in addresses { try routes.add(Prefix(address)!, to: name) }
      try routes.setLink(name, up: true)
    }
    try server.within { () throws(KernelError) in
      var inner = try RouteSocket()
      for address in ["172.20.0.1/24", "fd00:20::1/64", "198.51.100.10/32"] {
        try inner.add(Prefix(address)!, to: "down0")
      }
      try inner.setLink("down0", up: true)
      try inner.add(RouteMessage(to: Prefix("0.0.0.0/0")!, via: IPAddress("172.20.0.2")!))
    }
    try routes.add(RouteMessage(to: Prefix("0.0.0.0/0")!, via: IPAddress("172.20.0.1")!))
    try routes.add(RouteMessage(to: Prefix("::/0")!, via: IPAddress("fd00:20::1")!))
    try Sysctl.forwarding4.write("1")
    try #require(Sysctl(path: "net/ipv6/conf/all/forwarding")).write("1")
    self.tun = tun
    self.routes = routes
    self.server = server
  }

  /// Runs a shell command in the lab. Unlike other ways to start a program, system(3) does so from
  /// the calling thread, and that is in the lab.
  static func shell(_ command: String) {
    let status = unsafe system(command)
    #expect(status == 0, "\(command)")
  }

  /// The octets that mark a packet.
  static let nonce: UInt64 = 0x0102_a3b4_c5d6_e7f8

  /// An echo request with the nonce in its payload.
  static func echo(
    from source: String = "192.168.69.1", to destination: String = "198.51.100.10",
    ttl: UInt8 = 64, size: Int = 12, dontFragment: Bool = false, nonce: UInt64 = nonce
  ) -> [UInt8] {
    let version6 = source.contains(":")
    var payload: [UInt8] = []
    payload.append(bigEndian: nonce)
    payload += Array(repeating: 0x61, count: size - 8)
    return Packet(
      source: IPAddress(source)!, destination: IPAddress(destination)!,
      proto: version6 ? .icmpv6 : .icmp, ttl: ttl, identification: version6 ? nil : 4711,
      dontFragment: dontFragment,
      transport: .icmp(ICMPHeader(type: version6 ? 128 : 8, rest: 0x0042_0001)), payload: payload
    ).bytes
  }
}
