import App
import ArgumentParser
import Kernel
import Trace
import Wire

// What is wrong with a command line, in words for who wrote it.
extension Ping {
  func checkEntrance() throws {
    if arriving != nil, let other = tun != nil ? "--tun" : tunAddress != nil ? "--tun-address" : nil
    {
      throw ValidationError(
        "\(other) and --in exclude each other: a client is behind one interface")
    }
    if local, !hasClient, masquerade || forward {
      throw ValidationError(
        "--masquerade and --forward are for probes that are forwarded; --local sends from this host"
      )
    }
    if let tcpFlags {
      guard proto.description == "tcp" else {
        throw ValidationError("--tcp-flags goes with -p tcp")
      }
      guard TCPHeader.Flags(names: tcpFlags) != nil else {
        throw ValidationError(
          "--tcp-flags '\(tcpFlags)' are not names of fin, syn, rst, psh, ack, urg, ece and cwr with commas, "
            + "such as syn,ack")
      }
    }
    if cgroup != nil, hasClient, !local {
      throw PacketOptions.senderIsClient
    }
    for (name, text) in [("--source-mac", sourceMac), ("--dest-mac", destMac)] {
      guard let text else { continue }
      if arriving == nil, sender == nil { throw ValidationError("\(name) goes with --in") }
      guard Self.hardwareAddress(text) != nil else {
        throw ValidationError(
          "\(name) '\(text)' is not an Ethernet address, such as 02:00:00:00:00:01")
      }
    }
  }

  func checkData() throws {
    guard let data else { return }
    guard proto.description == "tcp", like == nil else {
      throw ValidationError("--data goes with -p tcp: it is sent by a connection")
    }
    if tcpFlags != nil { throw ValidationError("--data needs a SYN first: leave --tcp-flags out") }
    if dryRun {
      throw ValidationError(
        "--data needs somebody who answers the SYN, and --dry-run lets nothing out: leave one of them out"
      )
    }
    let count = data.utf8.count
    guard count > 0 else { throw ValidationError("--data is the text to send, and is empty") }
    if let size = packet.size, size < count {
      throw ValidationError("--data has \(count) octets, and --size \(size) is less")
    }
    try Self.check("--data's length", max(count, packet.size ?? 0), 1...65000)
  }

  /// The octets of `--data`, made as long as was asked for.
  var payload: [UInt8]? {
    data.map { ProbePlan.data($0, size: packet.size) }
  }

  /// Whether a client of this host was spoken of.
  var hasClient: Bool {
    tun != nil || tunAddress != nil || arriving != nil || sender != nil
  }

  static func hardwareAddress(_ text: String) -> HardwareAddress? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    let octets = parts.compactMap { $0.count <= 2 ? UInt8($0, radix: 16) : nil }
    return parts.count == 6 && octets.count == 6 ? HardwareAddress(octets) : nil
  }

  func checkPorts() throws {
    if let portWish {
      guard let number = askedPort, number > 0 else { throw noPort(portWish.port) }
      if let other = portWish.proto, let asked, asked != other {
        throw ValidationError(
          "-p \(asked) and \(dport == nil ? "DEST's" : "--dport") \(other)/\(portWish.port) are two "
            + "protocols")
      }
    }
    switch kind.ports {
    case .none:
      let name = proto == .icmp ? "ICMP" : "IP protocol \(proto)"
      if dport == nil, let portWish {
        throw ValidationError(
          "DEST has the port \(portWish.port), and \(name) has no ports: leave ':\(portWish.port)' out, or -p "
            + "\(proto), and a SYN of TCP is sent there")
      }
      if packet.sport != nil || dport != nil {
        let option = dport == nil ? "--sport" : "--dport"
        throw ValidationError(
          "\(option) is for protocols that have ports, and \(name) has no ports: add -p tcp or -p udp"
        )
      }
    case .required:
      guard portWish != nil else {
        throw ValidationError(
          "-p \(proto) needs the port to connect to: --dport N, such as --dport 443")
      }
    case .usual: break
    }
    let size = packet.size ?? kind.size.usual
    guard kind.canTellApart(count: count, size: size) else {
      throw ValidationError("--count \(count) with --size \(size): choose fewer or smaller")
    }
  }

  /// The packet that is sent again has all that can be said of a probe.
  func checkLike() throws {
    guard like != nil else {
      if dest == nil { throw ValidationError("Missing expected argument '<dest>'") }
      return
    }
    let others: [(String, Bool)] = [
      ("DEST", dest != nil), ("--source", source != nil),
      ("-I with an address", from.map { IPAddress($0) != nil } ?? false),
      ("--protocol", asked != nil), ("--sport", packet.sport != nil), ("--dport", dport != nil),
      ("--ttl", packet.ttl != nil), ("--tos", packet.tos != 0), ("--df", packet.df != nil),
      ("--size", packet.size != nil),
      ("--tcp-flags", tcpFlags != nil), ("--count", count != 1),
    ]
    if let other = others.first(where: \.1)?.0 {
      throw ValidationError(
        "--like sends one packet as it was, and \(other) would be another one's")
    }
  }

  /// What was said of the port: its number or name, and the protocol that was named with it.
  var portWish: (port: String, proto: ProbeProtocol?)? {
    guard let text = dport ?? ProbeTarget(destination)?.port else { return nil }
    let parts = text.split(separator: "/", maxSplits: 1).map(String.init)
    // As nft and /etc/services write it, and the other way round.
    guard parts.count == 2 else { return (text, dport == nil ? transport : nil) }
    if Int(parts[0]) == nil, let proto = ProbeProtocol(parts[0]) { return (parts[1], proto) }
    return ProbeProtocol(parts[1]).map { (parts[0], $0) } ?? (text, nil)
  }

  /// Where something stands behind DEST.
  func checkOthers() throws {
    guard let other = others.first, let dest else { return }
    let isPort = ProbeTarget(dest)?.port == nil && Names.port(other, proto.kind.number(4)) != nil
    let host = dest.contains(":") && !dest.hasPrefix("[") ? "[\(dest)]" : dest
    let words = isPort ? ": a port stands behind ':', \(host):\(other)" : ", and there is one DEST"
    throw ValidationError("'\(other)' stands behind DEST\(words)")
  }

  /// The protocol that DEST names as a URL.
  var transport: ProbeProtocol? {
    ProbeTarget(destination)?.transport.flatMap { ProbeProtocol($0) }
  }

  /// The port that was asked for; nil if none was, or none that there is.
  var askedPort: UInt16? { portWish.flatMap { Names.port($0.port, proto.kind.number(4)) } }

  private func noPort(_ port: String) -> ValidationError {
    let place = dport == nil ? "the port of DEST" : "--dport"
    if let number = Int(port) {
      return ValidationError("\(place) is 1 to 65535, not \(number)")
    }
    if let other = [IPProtocol.tcp, .udp].first(where: { Names.port(port, $0) != nil }) {
      return ValidationError("\(place) '\(port)' is a service of \(other): add -p \(other)")
    }
    return ValidationError(
      "\(place) '\(port)' is neither a port, 1 to 65535, nor a service of \(proto) in /etc/services"
    )
  }

  /// The address it is to come from, by -s or -I.
  var sender: String? {
    like.map { "\($0.packet.source)" } ?? source ?? from.flatMap { IPAddress($0) == nil ? nil : $0 }
  }

  /// The interface through which this host is to send, by -I or the zone of DEST.
  var device: String? {
    if let from, IPAddress(from) == nil { return from }
    return tun == nil && arriving == nil ? ProbeTarget(destination)?.zone : nil
  }

  /// What is written is as many files.
  private func checkFiles() throws {
    let files = [("-w", write), ("--html", html), ("--svg", svg), ("--otlp", otlp)].filter {
      $0.1 != nil
    }
    for (index, file) in files.enumerated() {
      guard let other = files[..<index].first(where: { $0.1 == file.1 }) else { continue }
      throw ValidationError("\(other.0) and \(file.0) name one file, and write two")
    }
  }

  func checkTarget(_ target: ProbeTarget) throws {
    try checkFiles()
    if onlyIPv4, onlyIPv6 { throw ValidationError("-4 and -6 exclude each other") }
    if let address = target.address,
      onlyIPv4 && address.family == 6 || onlyIPv6 && address.family == 4
    {
      let (option, other) = onlyIPv4 ? ("-4", 4) : ("-6", 6)
      throw ValidationError(
        "\(option) asks for IPv\(other), and \(address) is an address of IPv\(address.family): leave \(option) out, "
          + "or give a name, whose address of IPv\(other) is taken")
    }
    if target.port != nil, dport != nil {
      throw ValidationError("DEST has a port, and so has --dport: one of them is enough")
    }
    if let from {
      if let source, IPAddress(from) != nil, IPAddress(source) != IPAddress(from) {
        throw ValidationError("-I \(from) and -s \(source) are two sources")
      }
      if IPAddress(from) == nil, tun != nil || tunAddress != nil || arriving != nil {
        throw ValidationError(
          "-I with an interface has this host send through it, and a client is behind another: with --in, the probe "
            + "arrives there")
      }
    }
    if let write, !write.isEmpty, write.allSatisfy(\.isNumber) {
      throw ValidationError(
        "-w is the file in which the session is kept, and no deadline as ping's is: -W \(write) waits so long for "
          + "an answer, and -w ./\(write) is a file of that name")
    }
  }

  /// The address of a TUN device that is made: with a length, and room for others in its subnet.
  static func tunAddress(_ text: String) throws -> Prefix {
    guard let prefix = Prefix(text), text.contains("/") else {
      throw ValidationError(
        "--tun-address '\(text)' is not ADDRESS/LENGTH, such as 192.168.69.100/24")
    }
    guard prefix.length < prefix.address.bitWidth - 1 else {
      throw ValidationError("--tun-address \(prefix) leaves no address for the probe's source")
    }
    return prefix
  }

  static func notAnAddress(_ text: String, _ what: String) -> String {
    if text.contains("/"), let prefix = Prefix(text) {
      return "\(what) '\(text)' is a subnet; give one address, such as \(prefix.someHost)"
    }
    if what == "DEST" {
      return "'\(text)' is not an IPv4 or IPv6 address, nor the name of a host"
        + (DestinationHint.words(text).map { ": \($0)" } ?? "")
    }
    return "\(what) '\(text)' is not an IPv4 or IPv6 address\(sourceHint(text))"
  }

  /// What was meant by a source that is no address.
  private static func sourceHint(_ text: String) -> String {
    if let size = Int(text) { return "; --size \(size) is the length" }
    if let target = ProbeTarget(text), let address = target.address, let port = target.port {
      return ", but one with a port: -s \(address) --sport \(port)"
    }
    guard TunDevice.fault(inName: text) == nil, !text.contains("."), !text.contains(":") else {
      return " (names are not looked up)"
    }
    return
      " (names are not looked up). An interface: --in \(text) lets the probe arrive there, and -I \(text) has "
      + "this host send through it"
  }

  static func check(_ name: String, _ value: Int, _ range: ClosedRange<Int>) throws {
    guard range.contains(value) else {
      throw ValidationError("\(name) is \(range.lowerBound) to \(range.upperBound), not \(value)")
    }
  }
}

extension Prefix {
  /// An address that a host of this subnet can have, the first one behind the subnet's own.
  fileprivate var someHost: IPAddress {
    guard address == network.address, length < address.bitWidth - 1,
      var octets = Optional(address.bytes)
    else { return address }
    octets[octets.count - 1] |= 1
    return IPAddress(bytes: octets) ?? address
  }
}
