package import Wire

/// A file of tests, and of what they are asked in if that is not a host's own network namespace.
package struct TestFile: Sendable, Equatable {
  /// The tests, in their order.
  package var tests: [FirewallTest] = []
  /// Interfaces and routes; nil where the file has none.
  package var topology: Topology?

  /// What the file says. `port` finds a service by its name. Throws what is wrong, with its line.
  package init(
    _ file: ConfigurationNode, port: @escaping (String, IPProtocol) -> UInt16?
  ) throws(ConfigurationFault) {
    let members = try file.members(of: "a file of tests", ["tests", "topology"])
    if let node = members["topology"]?.node { topology = try Topology(node) }
    guard let node = members["tests"]?.node else {
      throw file.fault("there are no tests: they stand in a list under 'tests:'")
    }
    for item in node.items { tests += try TestReader(item, port: port).tests() }
  }
}

/// One entry of the list of tests: a question, or one question each for several ports.
private struct TestReader {
  private let node: ConfigurationNode
  private let members: [String: ConfigurationNode.Member]
  private let port: (String, IPProtocol) -> UInt16?

  private static let keys = [
    "name", "from", "to", "expect", "reply", "source", "dest", "out", "mark", "by", "cause",
    "sport",
  ]

  init(
    _ node: ConfigurationNode, port: @escaping (String, IPProtocol) -> UInt16?
  ) throws(ConfigurationFault) {
    self.node = node
    self.port = port
    members = try node.members(of: "a test", Self.keys)
  }

  func tests() throws(ConfigurationFault) -> [FirewallTest] {
    let from = try origin()
    guard let to = members["to"]?.node else {
      throw node.fault("this test has no 'to:', such as 'to: 203.0.113.9 tcp/443'")
    }
    let expected = try expectation()
    let sport = try text("sport", "a port").map { text throws(ConfigurationFault) in
      try number(text, of: ProbeProtocol.tcp, in: members["sport"]!.node)
    }
    var tests: [FirewallTest] = []
    for target in try targets(to) {
      var test = FirewallTest(
        name: "", line: node.line, from: from, destination: target.address, proto: target.proto,
        port: target.port, expected: expected)
      test.sourcePort = sport
      test.name = test.title
      try check(test)
      tests.append(test)
    }
    if let name = try text("name", "a name") {
      for index in tests.indices {
        tests[index].name = tests.count == 1 ? name : "\(name) (\(tests[index].target))"
      }
    }
    return tests
  }

  private func text(_ key: String, _ what: String) throws(ConfigurationFault) -> String? {
    guard let node = members[key]?.node, node.value != .nothing else { return nil }
    return try node.text("'\(key)' is \(what): it")
  }

  // MARK: Who asks whom

  private func origin() throws(ConfigurationFault) -> FirewallTest.Origin {
    guard let text = try text("from", "an interface, an address behind it, or 'local'") else {
      throw node.fault(
        "this test has no 'from:', such as 'from: lan0 192.168.1.10', or 'from: local' for this host"
      )
    }
    let words = text.split(separator: " ").map(String.init)
    let line = members["from"]!.node
    guard (1...2).contains(words.count) else {
      throw line.fault(
        "'from' is an interface and an address, such as 'lan0 192.168.1.10'; not '\(text)'")
    }
    var address: IPAddress?
    if words.count == 2 {
      address = IPAddress(words[1])
      guard address != nil else { throw line.fault("'\(words[1])' is no IP address") }
    }
    if words[0] == "local" { return .local(address) }
    if words.count == 1, let alone = IPAddress(words[0]) { return .somebody(alone) }
    guard InterfaceName.isOne(words[0]) else {
      throw line.fault(
        "'\(words[0])' is no name of an interface: at most 15 letters, no spaces, no '/'")
    }
    return .behind(words[0], address)
  }

  private typealias Target = (address: IPAddress, proto: ProbeProtocol, port: UInt16?)

  /// "198.19.1.1 tcp/443"; several ports of one address; a list of such, in which an address holds for what follows.
  private func targets(_ to: ConfigurationNode) throws(ConfigurationFault) -> [Target] {
    var found: [Target] = []
    if case .members(let members) = to.value {
      for member in members {
        guard let address = IPAddress(member.name) else {
          throw ConfigurationFault(line: member.line, "'\(member.name)' is no IP address")
        }
        for item in member.node.items {
          try add(item.text("a port such as tcp/443"), to: &found, for: address, in: item)
        }
      }
      return found
    }
    var address: IPAddress?
    for item in to.items {
      let text = try item.text("an address and a port, such as '203.0.113.9 tcp/443',")
      let words = text.split { " ,[]".contains($0) }.map(String.init)
      guard let first = words.first else { throw item.fault("there is nothing to ask") }
      if let target = IPAddress(first) {
        address = target
        if words.count == 1, case .text = to.value { found.append((target, .icmp, nil)) }
        for word in words.dropFirst() { try add(word, to: &found, for: target, in: item) }
      } else if let target = endpoint(first), words.count == 1 {
        found.append((target.address, .tcp, target.port))
      } else {
        guard let address else {
          throw item.fault(
            "'\(first)' is no IP address: 'to' begins with one, such as '203.0.113.9 tcp/443'")
        }
        for word in words { try add(word, to: &found, for: address, in: item) }
      }
    }
    guard !found.isEmpty else { throw to.fault("there is nothing to ask: 'to' has no protocol") }
    return found
  }

  /// Adds "tcp/443", "icmp" or "47".
  private func add(
    _ text: String, to found: inout [Target], for address: IPAddress, in node: ConfigurationNode
  ) throws(ConfigurationFault) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    let name = parts[0] == "icmpv6" ? "icmp" : String(parts[0])
    guard let proto = ProbeProtocol(name) else {
      let hint = UInt16(name) == nil ? "" : ": a port is written as tcp/\(name) or udp/\(name)"
      throw node.fault("'\(text)' is no protocol and port, such as tcp/443, udp/53 or icmp\(hint)")
    }
    switch (proto.kind.ports, parts.count) {
    case (.none, 2): throw node.fault("'\(text)': \(proto) has no ports")
    case (.required, 1): throw node.fault("'\(text)' has no port: write \(proto)/443")
    case (.usual(let usual), 1): found.append((address, proto, usual))
    case (.none, _): found.append((address, proto, nil))
    default:
      found.append((address, proto, try number(String(parts[1]), of: proto, in: node)))
    }
  }

  private func number(
    _ text: String, of proto: ProbeProtocol, in node: ConfigurationNode
  ) throws(ConfigurationFault) -> UInt16 {
    guard let number = port(text, proto.kind.number(4)), number > 0 else {
      throw node.fault("'\(text)' is no port: a number from 1 to 65535, or the name of a service")
    }
    return number
  }

  private func endpoint(_ text: String) -> Expectation.Endpoint? {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...])
    else { return nil }
    let name = text[..<colon]
    if name.first == "[", name.last == "]" {
      return IPAddress(String(name.dropFirst().dropLast())).map { .init($0, port: port) }
    }
    guard let address = IPAddress(String(name)), address.family == 4 else { return nil }
    return .init(address, port: port)
  }

  // MARK: What is expected

  private func expectation() throws(ConfigurationFault) -> Expectation {
    guard let text = try text("expect", "what is to come of it") else {
      throw node.fault("this test has no 'expect:': accept, drop, reject or delivered")
    }
    var expected = Expectation(try verdict(text, members["expect"]!.node))
    expected.isAnswered =
      [.accept, .delivered].contains(expected.verdict) ? true : nil
    if let reply = try self.text("reply", "accept or drop") {
      guard ["accept", "drop", "any"].contains(reply) else {
        throw members["reply"]!.node.fault("'reply' is accept, drop or any; not '\(reply)'")
      }
      expected.isAnswered = reply == "any" ? nil : reply == "accept"
    }
    expected.source = try end("source")
    expected.destination = try end("dest")
    expected.out = try self.text("out", "an interface")
    if let mark = try self.text("mark", "a number") {
      let number = mark.hasPrefix("0x") ? UInt32(mark.dropFirst(2), radix: 16) : UInt32(mark)
      guard let number else {
        throw members["mark"]!.node.fault("'\(mark)' is no mark, such as 5 or 0x5")
      }
      expected.mark = number
    }
    expected.rule = try self.text("by", "a rule").map { RuleWish($0) }
    if let cause = try self.text("cause", "a finding's id") {
      let ids = Registry.pages.map(\.id.rawValue)
      guard ids.contains(cause) else {
        let nearest = NearestWord.to(cause, among: ids).map { "; did you mean \($0)?" }
        throw members["cause"]!.node.fault(
          "there is no finding '\(cause)'\(nearest ?? ": docs/findings lists them")")
      }
      expected.cause = FindingID(rawValue: cause)
    }
    return expected
  }

  private func verdict(
    _ text: String, _ node: ConfigurationNode
  ) throws(ConfigurationFault) -> Expectation.Verdict {
    switch text.lowercased() {
    case "accept": return .accept
    case "delivered": return .delivered
    case "drop": return .drop
    case "reject": return .reject(nil)
    default: break
    }
    guard text.lowercased().hasPrefix("reject ") else {
      let nearest = NearestWord.to(text, among: ["accept", "drop", "reject", "delivered"])
      throw node.fault(
        "'\(text)' is no verdict: accept, drop, reject, reject tcp-reset, or delivered"
          + (nearest.map { "; did you mean \($0)?" } ?? ""))
    }
    let way = String(text.dropFirst("reject ".count).drop { $0 == " " })
    // A packet of TCP is refused so, whatever its answer is called elsewhere.
    guard let rejection = Rejection(way) else {
      throw node.fault(
        "'\(way)' is no way to reject: \(Rejection.names.joined(separator: ", "))")
    }
    return .reject(rejection)
  }

  private func end(_ key: String) throws(ConfigurationFault) -> Expectation.Endpoint? {
    guard let text = try text(key, "an address") else { return nil }
    if let address = IPAddress(text) { return .init(address, port: nil) }
    guard let end = endpoint(text) else {
      throw members[key]!.node.fault(
        "'\(text)' is no address, such as 198.18.77.2 or 10.77.2.10:80")
    }
    return end
  }

  /// What cannot be asked.
  private func check(_ test: FirewallTest) throws(ConfigurationFault) {
    let source: IPAddress? =
      switch test.from {
      case .local(let address), .behind(_, let address): address
      case .somebody(let address): address
      }
    if let source, source.family != test.destination.family {
      throw node.fault(
        "\(source) is IPv\(source.family) and \(test.destination) is IPv\(test.destination.family): a packet "
          + "has one IP version")
    }
    if test.sourcePort != nil, test.port == nil {
      throw members["sport"]!.node.fault("\(test.proto) has no ports")
    }
  }
}

/// What an interface may be called.
enum InterfaceName {
  /// Whether the kernel takes it: IFNAMSIZ, and no space, slash or colon.
  static func isOne(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count < 16 && text != "." && text != ".."
      && !text.utf8.contains { $0 == 0x2f || $0 == 0x3a || $0 <= 0x20 || $0 == 0x7f }
  }
}
