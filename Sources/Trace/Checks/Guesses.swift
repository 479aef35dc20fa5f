package import Wire

/// Questions that show where two rulesets differ, made of what their rules speak of: each rule is asked for what it takes, and
/// for what is just beside that.
package struct Guesses: Sendable {
  private let interfaces: [Interface]

  /// An interface by which packets can come in.
  package struct Interface: Sendable {
    /// Its name.
    var name: String
    /// Its addresses, with their subnets.
    var addresses: [Prefix]
    /// Whether a default route leads out of it.
    var isUplink: Bool

    /// An interface of these fields.
    package init(name: String, addresses: [Prefix], isUplink: Bool) {
      self.name = name
      self.addresses = addresses
      self.isUplink = isUplink
    }
  }

  /// Questions at most.
  private static let most = 5000
  /// Somebody far away: addresses that nobody has, RFC 5737 and RFC 3849.
  private static let far = [4: IPAddress("203.0.113.77")!, 6: IPAddress("2001:db8:ffff::77")!]

  /// Questions of packets that come in by these.
  package init(_ interfaces: [Interface]) { self.interfaces = interfaces }

  /// The questions about these rules, none twice. `sets` are elements, by "FAMILY TABLE NAME".
  package func questions(
    about rules: [RuleInForce], sets: [String: [String]]
  ) -> [FirewallTest] {
    var found: [FirewallTest] = []
    var names: Set<String> = []
    for rule in rules {
      guard let text = rule.text else { continue }
      let edges = Edges(RuleConditions(text), rule, sets)
      for question in questions(edges) where names.insert(question.name).inserted {
        found.append(question)
        if found.count == Self.most { return found }
      }
    }
    return found
  }

  /// What a rule speaks of, with what is just beside it.
  private struct Edges {
    var inputs: [String]
    var sources: [IPAddress]
    var destinations: [IPAddress]
    var ports: [UInt16]
    var protocols: [ProbeProtocol]

    init(_ conditions: RuleConditions, _ rule: RuleInForce, _ sets: [String: [String]]) {
      func values(_ names: [String]) -> [String] {
        conditions.values(behind: names).flatMap { value -> [String] in
          guard value.hasPrefix("@") else { return [value] }
          let set = "\(RuleNames.family(rule.family)) \(rule.table) \(value.dropFirst())"
          return sets[set] ?? []
        }
      }
      inputs = values(RuleConditions.inputs)
      sources = Self.addresses(values(RuleConditions.sources))
      destinations = Self.addresses(values(RuleConditions.destinations))
      ports = Self.ports(values(RuleConditions.destinationPorts))
      switch conditions.proto {
      case .tcp?: protocols = [.tcp]
      case .udp?: protocols = [ProbeProtocol("udp")!]
      case .icmp?, .icmpv6?: protocols = [.icmp]
      case let other?: protocols = ProbeProtocol("\(other)").map { [$0] } ?? []
      case nil:
        protocols = ports.isEmpty ? [.icmp, .tcp] : [.tcp, ProbeProtocol("udp")!]
      }
    }

    /// Both ends of each, and their neighbours outside.
    private static func addresses(_ values: [String]) -> [IPAddress] {
      var found: [IPAddress] = []
      for value in values.prefix(16) {
        let ends = value.split(separator: "-").map(String.init)
        let (first, last): (IPAddress?, IPAddress?) =
          ends.count == 2
          ? (IPAddress(ends[0]), IPAddress(ends[1]))
          : (Prefix(value)?.first, Prefix(value)?.last)
        guard let first, let last else { continue }
        found += [first, last, first.moved(by: -1), last.moved(by: 1)].compactMap(\.self)
      }
      return found.filter { !$0.isUnspecified && !$0.isMulticast }
    }

    private static func ports(_ values: [String]) -> [UInt16] {
      values.prefix(32).flatMap { value -> [UInt16] in
        let ends = value.split { "-:".contains($0) }.compactMap { UInt16($0) }
        guard let first = ends.first, let last = ends.last else { return [] }
        return [first, last] + (first > 1 ? [first - 1] : []) + (last < .max ? [last + 1] : [])
      }
    }
  }

  private func questions(_ edges: Edges) -> [FirewallTest] {
    let named = interfaces.filter { interface in
      edges.inputs.contains { name in
        name.last == "*" || name.last == "+"
          ? interface.name.hasPrefix(name.dropLast()) : name == interface.name
      }
    }
    var found: [FirewallTest] = []
    for interface in named.isEmpty ? interfaces : named {
      for version in [4, 6] {
        found += questions(edges, by: interface, version)
      }
    }
    return found
  }

  /// One thing at a time is another one than the first.
  private func questions(
    _ edges: Edges, by interface: Interface, _ version: Int
  ) -> [FirewallTest] {
    let own = interface.addresses.filter { $0.address.family == version }
    guard !own.isEmpty else { return [] }
    let far = Self.far[version]!
    let usual =
      interface.isUplink ? far : own.first.flatMap { Self.neighbour(of: $0) } ?? far
    var sources = edges.sources.filter { $0.family == version }
    if sources.isEmpty { sources = edges.sources.isEmpty ? [usual] : [] }
    var destinations = edges.destinations.filter { $0.family == version }
    if destinations.isEmpty, edges.destinations.isEmpty {
      destinations = own.map(\.address)
      for other in interfaces where other.name != interface.name {
        destinations += other.addresses.filter { $0.address.family == version }
          .compactMap { Self.neighbour(of: $0) }
      }
      if !interface.isUplink { destinations.append(far) }
    }
    guard let source = sources.first, let destination = destinations.first else { return [] }
    var services: [(ProbeProtocol, UInt16?)] = []
    for proto in edges.protocols {
      switch proto.kind.ports {
      case .none: services.append((proto, nil))
      case .required, .usual:
        services += (edges.ports.isEmpty ? [443] : edges.ports).map { (proto, $0) }
      }
    }
    guard let service = services.first else { return [] }
    func test(_ source: IPAddress, _ destination: IPAddress, _ service: (ProbeProtocol, UInt16?))
      -> FirewallTest
    {
      var test = FirewallTest(
        name: "", line: 0, from: .behind(interface.name, source), destination: destination,
        proto: service.0, port: service.1, expected: Expectation(.accept))
      test.name = test.title
      return test
    }
    return destinations.map { test(source, $0, service) }
      + sources.map { test($0, destination, service) }
      + services.flatMap { service in destinations.map { test(source, $0, service) } }
  }

  /// The first address of a subnet that is neither the network's nor this one.
  private static func neighbour(of prefix: Prefix) -> IPAddress? {
    guard prefix.length < prefix.address.bitWidth - 1 else { return nil }
    return (1...2).lazy.compactMap { prefix.first.moved(by: $0) }.first { $0 != prefix.address }
  }
}

extension IPAddress {
  /// The address so many numbers further; nil beyond the last or before the first.
  func moved(by distance: Int) -> IPAddress? {
    switch self {
    case .v4(let value):
      return UInt32(exactly: Int64(value) + Int64(distance)).map { .v4($0) }
    case .v6(let value):
      let (sum, isOver) =
        distance < 0
        ? value.subtractingReportingOverflow(UInt128(-distance))
        : value.addingReportingOverflow(UInt128(distance))
      return isOver ? nil : .v6(sum)
    }
  }
}
