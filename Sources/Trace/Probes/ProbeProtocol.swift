package import Wire

/// The protocol of a ping's probes.
package struct ProbeProtocol: Sendable, Equatable, CustomStringConvertible {
  /// What it does for probes.
  package let kind: any ProbeKind

  /// Protocols with a file of their own, by which their probes are made and answered. All others can be
  /// sent as well: see `OtherProbe`.
  static let kinds: [any ProbeKind] = [EchoProbe(), UDPProbe(), TCPProbe(), SCTPProbe()]

  /// The names that stand in the help.
  package static var names: [String] { kinds.map(\.name) }

  /// Echo requests.
  package static let icmp = ProbeProtocol(kind: EchoProbe())
  /// Segments.
  package static let tcp = ProbeProtocol(kind: TCPProbe())

  /// The protocol of this name or number, as `--protocol` takes it: "tcp", "gre", "47"; nil if there is
  /// none.
  package init?(_ text: String) {
    if let kind = Self.kinds.first(where: { $0.name == text.lowercased() }) {
      self.init(kind: kind)
      return
    }
    guard let number = IPProtocol(text) else { return nil }
    self.init(
      kind: Self.kinds.first { $0.number(4) == number || $0.number(6) == number }
        ?? OtherProbe(number))
  }

  /// Packets like this one.
  package init(like packet: Packet) { self.init(kind: LikeProbe(packet)) }

  private init(kind: any ProbeKind) { self.kind = kind }

  /// Its name: "tcp".
  package var description: String { kind.name }

  /// Protocols of one name are the same.
  package static func == (left: ProbeProtocol, right: ProbeProtocol) -> Bool {
    left.kind.name == right.kind.name
  }
}

extension ProbeProtocol: JSONCoded {
  init(json: JSONValue) throws(JSONFault) {
    guard let known = ProbeProtocol(try String(json: json)) else { throw .unfit("") }
    self = known
  }

  var asJSON: JSONValue { .string(description) }
}
