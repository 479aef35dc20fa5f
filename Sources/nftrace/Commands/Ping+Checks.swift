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
    if mark != nil || user != nil, hasClient, !local {
      throw ValidationError("--mark and --user say who sends on this host: they go with --local")
    }
    if let mark, Self.number(mark) == nil {
      throw ValidationError("--mark '\(mark)' is not a number of 32 bits, such as 5 or 0x5")
    }
    if let user, UserNames.number(user) == nil {
      throw ValidationError("--user '\(user)': there is no user of this name here")
    }
    for (name, text) in [("--source-mac", sourceMac), ("--dest-mac", destMac)] {
      guard let text else { continue }
      if arriving == nil, source == nil { throw ValidationError("\(name) goes with --in") }
      guard Self.hardwareAddress(text) != nil else {
        throw ValidationError(
          "\(name) '\(text)' is not an Ethernet address, such as 02:00:00:00:00:01")
      }
    }
  }

  /// Whether a client of this host was spoken of.
  var hasClient: Bool {
    tun != nil || tunAddress != nil || arriving != nil || source != nil
  }

  /// A number of 32 bits, in decimal or with 0x in hexadecimal.
  static func number(_ text: String) -> UInt32? {
    text.hasPrefix("0x") ? UInt32(text.dropFirst(2), radix: 16) : UInt32(text)
  }

  static func hardwareAddress(_ text: String) -> HardwareAddress? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    let octets = parts.compactMap { $0.count <= 2 ? UInt8($0, radix: 16) : nil }
    return parts.count == 6 && octets.count == 6 ? HardwareAddress(octets) : nil
  }

  func checkPorts() throws {
    if let sport { try Self.check("--sport", sport, 1...65535) }
    if let dport { try Self.check("--dport", dport, 1...65535) }
    switch kind.ports {
    case .none:
      if sport != nil || dport != nil {
        let name = proto == .icmp ? "ICMP" : "IP protocol \(proto)"
        throw ValidationError(
          "--sport and --dport are for protocols such as udp and tcp: \(name) has no ports")
      }
    case .required:
      guard dport != nil else {
        throw ValidationError(
          "-p \(proto) needs the port to connect to: --dport N, such as --dport 443")
      }
    case .usual: break
    }
    let size = size ?? kind.size.usual
    guard kind.canTellApart(count: count, size: size) else {
      throw ValidationError("--count \(count) with --size \(size): choose fewer or smaller")
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
      return "\(what) '\(text)' is a subnet; give one address, such as \(prefix.address)"
    }
    return "\(what) '\(text)' is not an IPv4 or IPv6 address (names are not looked up)"
  }

  static func check(_ name: String, _ value: Int, _ range: ClosedRange<Int>) throws {
    guard range.contains(value) else {
      throw ValidationError("\(name) is \(range.lowerBound) to \(range.upperBound), not \(value)")
    }
  }
}
