package import Wire

/// A question to a firewall, and what its answer is to be.
package struct FirewallTest: Sendable, Equatable {
  /// What it is called.
  package var name: String
  /// The line of its file in which it begins, counted from 1.
  package var line: Int
  /// Who asks.
  package var from: Origin
  /// The address that is asked.
  package var destination: IPAddress
  /// What is sent.
  package var proto: ProbeProtocol
  /// The port that it goes to, where the protocol has ports.
  package var port: UInt16?
  /// The port that it comes from; nil for any.
  package var sourcePort: UInt16?
  /// What is to come of it.
  package var expected: Expectation

  /// Who asks.
  package enum Origin: Sendable, Hashable {
    /// This host, from this address, or from the one that routing chooses.
    case local(IPAddress?)
    /// Somebody behind this interface, with this address, or with one that fits there.
    case behind(String, IPAddress?)
    /// Whoever has this address, by the interface that routes say.
    case somebody(IPAddress)

    /// As it is written.
    package var description: String {
      switch self {
      case .local(let source): "local" + (source.map { " \($0)" } ?? "")
      case .behind(let device, let source): device + (source.map { " \($0)" } ?? "")
      case .somebody(let source): "\(source)"
      }
    }
  }

  /// A test of these fields.
  package init(
    name: String, line: Int, from: Origin, destination: IPAddress, proto: ProbeProtocol,
    port: UInt16? = nil, expected: Expectation
  ) {
    self.name = name
    self.line = line
    self.from = from
    self.destination = destination
    self.proto = proto
    self.port = port
    self.expected = expected
  }

  /// Who asks whom: what a test without a name is called.
  package var title: String { "\(from.description) to \(target)" }

  /// What it is called, and what the file calls it together with others of a list.
  package var names: [String] {
    let target = " (\(target))"
    return [name] + (name.hasSuffix(target) ? [String(name.dropLast(target.count))] : [])
  }

  /// Questions that differ from this one in one thing: another port, source, destination, protocol.
  package var neighbours: [FirewallTest] {
    var found: [FirewallTest] = []
    func add(_ change: (inout FirewallTest) -> Void) {
      var other = self
      change(&other)
      other.name = other.title
      if other.name != title, !found.contains(where: { $0.name == other.name }) {
        found.append(other)
      }
    }
    if let port {
      for other in [port &+ 1, 22, 80, 443] where other > 0 { add { $0.port = other } }
      let twin = proto == .tcp ? ProbeProtocol("udp") : ProbeProtocol.tcp
      if let twin { add { $0.proto = twin } }
      add { ($0.proto, $0.port, $0.sourcePort) = (.icmp, nil, nil) }
    } else {
      add { ($0.proto, $0.port) = (.tcp, 22) }
      add { ($0.proto, $0.port) = (.tcp, 443) }
    }
    for step in [1, 9] {
      add { $0.destination = destination.moved(by: step) ?? destination }
      switch from {
      case .behind(let device, let source?):
        add { $0.from = .behind(device, source.moved(by: step)) }
      case .somebody(let source): add { $0.from = .somebody(source.moved(by: step) ?? source) }
      case .behind, .local: break
      }
    }
    return found
  }

  /// What is asked, as it is written: "198.19.1.1 tcp/443".
  package var target: String { "\(destination) \(proto)" + (port.map { "/\($0)" } ?? "") }
}

/// What is to come of a packet.
package struct Expectation: Sendable, Equatable {
  /// What becomes of it.
  package var verdict: Verdict
  /// Whether its answer comes back; nil where nobody cares.
  package var isAnswered: Bool?
  /// The address it comes from in the end, and the port if that is said.
  package var source: Endpoint?
  /// Where it goes in the end.
  package var destination: Endpoint?
  /// The interface it leaves by.
  package var out: String?
  /// Its mark in the end.
  package var mark: UInt32?
  /// The rule that decides.
  package var rule: RuleWish?
  /// Why it is lost.
  package var cause: FindingID?

  /// This verdict, and nothing else.
  package init(_ verdict: Verdict) { self.verdict = verdict }

  /// What can become of a packet.
  package enum Verdict: Sendable, Equatable {
    /// It goes on, or is delivered here.
    case accept
    /// It is delivered here.
    case delivered
    /// It is lost, and nobody is told.
    case drop
    /// It is refused, in this way if one is named.
    case reject(Rejection?)

    /// As it is written.
    package var description: String {
      switch self {
      case .accept: "accept"
      case .delivered: "delivered"
      case .drop: "drop"
      case .reject(let way): "reject" + (way.map { " \($0.name)" } ?? "")
      }
    }

    /// Whether what became of a packet is what was expected.
    package func isMet(by actual: Verdict) -> Bool {
      switch (self, actual) {
      case (.accept, .delivered), (.reject(nil), .reject): true
      default: self == actual
      }
    }
  }

  /// An address, perhaps with a port.
  package struct Endpoint: Sendable, Equatable {
    /// The address.
    package var address: IPAddress
    /// The port; nil for any.
    package var port: UInt16?

    /// An address with or without a port.
    package init(_ address: IPAddress, port: UInt16?) {
      self.address = address
      self.port = port
    }

    /// As it is written: "10.0.0.1:80", "[fd00::1]:80".
    package var description: String {
      guard let port else { return "\(address)" }
      return address.family == 6 ? "[\(address)]:\(port)" : "\(address):\(port)"
    }

    /// Whether it is this one, as far as it says.
    func isMet(by actual: Endpoint) -> Bool {
      address == actual.address && (port == nil || port == actual.port)
    }
  }
}

/// How who asks learns that a packet is refused.
package struct Rejection: Sendable, Equatable {
  /// As nft calls it: "tcp-reset", "port-unreachable".
  package var name: String

  private static let v4: [UInt8: String] = [
    0: "net-unreachable", 1: "host-unreachable", 2: "prot-unreachable", 3: "port-unreachable",
    9: "net-prohibited", 10: "host-prohibited", 13: "admin-prohibited",
  ]
  private static let v6: [UInt8: String] = [
    0: "no-route", 1: "admin-prohibited", 3: "addr-unreachable", 4: "port-unreachable",
    5: "policy-fail", 6: "reject-route",
  ]

  /// The names there are.
  package static var names: [String] {
    (["tcp-reset"] + Set(v4.values).union(v6.values)).sorted()
  }

  /// As nft and iptables write it: "tcp-reset", "icmp port-unreachable", "icmp-port-unreachable"; nil for anything else.
  package init?(_ text: String) {
    var name = text.lowercased()
    for kind in ["icmpx", "icmpv6", "icmp6", "icmp"] where name.hasPrefix(kind) {
      name = String(name.dropFirst(kind.count).drop { $0 == " " || $0 == "-" })
      if name.hasPrefix("type ") { name = String(name.dropFirst("type ".count)) }
      break
    }
    if name == "adm-prohibited" { name = "admin-prohibited" }
    if name == "proto-unreachable" { name = "prot-unreachable" }
    guard Self.names.contains(name) else { return nil }
    self.name = name
  }

  /// What a rule of this text refuses with, as nft and iptables write it; nil where it does not refuse.
  init?(inRule text: String) {
    let verbs: Set<Substring> = ["reject", "REJECT"]
    let words = text.split(separator: " ").drop { !verbs.contains($0) }
    guard !words.isEmpty else { return nil }
    let way = words.dropFirst().filter { !["with", "type", "--reject-with"].contains($0) }
    let named = [1, 2].lazy.compactMap { Rejection(way.prefix($0).joined(separator: "-")) }.first
    self = named ?? Rejection(name: "port-unreachable")
  }

  private init(name: String) { self.name = name }

  /// What a packet says that refuses another one; nil where it does not.
  init?(_ answer: Packet) {
    if answer.tcp?.flags.contains(.rst) == true {
      name = "tcp-reset"
    } else if let icmp = answer.icmp, answer.quoted != nil,
      let name = answer.source.family == 4
        ? icmp.type == 3 ? Self.v4[icmp.code] : nil : icmp.type == 1 ? Self.v6[icmp.code] : nil
    {
      self.name = name
    } else {
      return nil
    }
  }
}

/// A rule, as somebody names it.
package struct RuleWish: Sendable, Equatable {
  /// As it is written: "inet fw forward handle 22", "ip filter FORWARD 3", "inet fw forward policy", or a rule's comment.
  package var text: String

  /// What is written so.
  package init(_ text: String) { self.text = text }

  /// Whether it names the rule that a packet met.
  func names(_ step: RuleStep) -> Bool {
    let place = "\(NFProto.name(step.family)) \(step.table) \(step.chain)"
    if step.isPolicy { return text == "\(place) policy" }
    if let handle = step.handle, text == "\(place) handle \(handle)" { return true }
    if let position = step.position, text == "\(place) \(position)" { return true }
    return step.text.map(isText) ?? false
  }

  /// Whether it is this rule's text or comment.
  func isText(_ rule: String) -> Bool { rule == text || Self.comment(rule) == text }

  /// Whether it says where the rule stands: "inet fw forward handle 22", "ip filter FORWARD 3".
  var isPlace: Bool {
    let words = text.split(separator: " ")
    guard words.count > 3, let last = words.last else { return false }
    return last == "policy" || UInt64(last) != nil
  }

  /// The comment of a rule, as nft and iptables write it.
  static func comment(_ rule: String) -> String? {
    let mark = rule.firstRange(of: "--comment ") ?? rule.firstRange(of: "comment ")
    guard let start = mark?.upperBound else { return nil }
    let rest = rule[start...]
    guard rest.first == "\"" else { return String(rest.prefix { $0 != " " }) }
    // iptables writes a backslash before quotes of the comment's own.
    var comment = ""
    var isEscaped = false
    for letter in rest.dropFirst() {
      if letter == "\"", !isEscaped { break }
      if letter == "\\", !isEscaped {
        isEscaped = true
        continue
      }
      isEscaped = false
      comment.append(letter)
    }
    return comment
  }
}
