import App
import ArgumentParser
import Kernel
import Trace
import Wire

/// What is said of a probe's header and its length, and of who on this host sends it: of 'ping' and of 'why-not'.
struct PacketOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The port it comes from. Default: another one for each probe, so that NAT rules are asked. "
        + "If conntrack knows it and no answer comes, one packet more is sent from another port.",
      valueName: "n"))
  var sport: Int?

  @Option(
    name: [.customShort("t", allowingJoined: true), .long], parsing: .unconditional,
    help: ArgumentHelp(
      "TTL or hop limit, 1 to 255; 64, or 63 from behind a router.", valueName: "n"))
  var ttl: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Type of service or traffic class, 0 to 255, or 0x0 to 0xff.", valueName: "n"),
    transform: Self.typeOfService)
  var tos: Int = 0

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Octets of payload, 12 to 65000. Default: 56, and for tcp none. What is longer than a client's interface takes "
        + "comes in fragments, as the client would send it.", valueName: "n"))
  var size: Int?

  @Flag(
    inversion: .prefixedNo,
    help: ArgumentHelp(
      "Forbid fragmentation, or allow it. Default: who sends may fragment, and in IPv4 no router behind, as Linux has "
        + "it. In IPv6, --df is for --local: routers never do it."))
  var df: Bool?

  @Option(help: ArgumentHelp("For --local, the packet mark it is sent with.", valueName: "n"))
  var mark: String?

  @Option(
    help: ArgumentHelp("For --local, the user who sends it.", valueName: "user"),
    completion: .users)
  var user: String?

  /// Who sends it, as numbers; nil for whoever runs this.
  var senderMark: UInt32? { mark.flatMap { Self.number($0) } }
  var senderUser: UInt32? { user.flatMap { UserNames.number($0) } }

  /// Says what is wrong with them for a probe of this kind, which a client sends or this host.
  func check(for kind: any ProbeKind, fromClient: Bool) throws {
    if let sport { try Ping.check("--sport", sport, 1...65535) }
    if let ttl { try Ping.check("--ttl", ttl, 1...255) }
    try Ping.check("--tos", tos, 0...255)
    if let size { try Ping.check("--size", size, kind.size.least...65000) }
    if mark != nil || user != nil, fromClient { throw Self.senderIsClient }
    if let mark, Self.number(mark) == nil {
      throw ValidationError("--mark '\(mark)' is not a number of 32 bits, such as 5 or 0x5")
    }
    if let user, senderUser == nil {
      throw ValidationError("--user '\(user)': there is no user of this name here")
    }
  }

  /// What is wrong with who sends, where that is no process of this host.
  static var senderIsClient: ValidationError {
    ValidationError(
      "--mark, --user and --cgroup say who sends on this host: they go with --local")
  }

  private static func typeOfService(_ text: String) throws -> Int {
    let number = text.hasPrefix("0x") ? Int(text.dropFirst(2), radix: 16) : Int(text)
    guard let number else { throw ValidationError("it is a number, such as 16 or 0x10") }
    return number
  }

  /// A number of 32 bits, in decimal or with 0x in hexadecimal.
  private static func number(_ text: String) -> UInt32? {
    text.hasPrefix("0x") ? UInt32(text.dropFirst(2), radix: 16) : UInt32(text)
  }
}
