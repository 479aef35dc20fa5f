package import Wire

/// What a network namespace has that no host is there to be copied of: interfaces, and the ways between them.
package struct Topology: Sendable, Equatable {
  /// The interfaces, in their order; the loopback is there without being named.
  package var interfaces: [Interface] = []
  /// Routes, as `ip route add` takes them.
  package var routes: [Line] = []
  /// Rules of policy routing, as `ip rule add` takes them.
  package var rules: [Line] = []
  /// Neighbours, as `ip neigh add` takes them.
  package var neighbours: [Line] = []
  /// Settings, by their names and values.
  package var settings: [(name: String, value: String, line: Int)] = []

  /// Words, and the line they stand in.
  package struct Line: Sendable, Equatable {
    /// The words.
    package var text: String
    /// The line, counted from 1.
    package var line: Int
  }

  /// An interface.
  package struct Interface: Sendable, Equatable {
    /// Its name.
    package var name: String
    /// The line that it stands in, counted from 1.
    package var line: Int
    /// Its addresses, with their subnets.
    package var addresses: [Prefix] = []
    /// Whether it is a bridge.
    package var isBridge = false
    /// The bridge that it is a port of.
    package var master: String?
    /// Octets of its packets at most; nil for Ethernet's 1500.
    package var mtu: UInt32?
    /// Whether it is up.
    package var isUp = true

    /// An interface without addresses, which is up.
    package init(name: String, line: Int) {
      self.name = name
      self.line = line
    }
  }

  /// What a file says under `topology:`, tests beside it or not, or all of it. Throws what is wrong, with its line.
  package init(_ node: ConfigurationNode) throws(ConfigurationFault) {
    var node = node
    if case .members(let members) = node.value,
      let topology = members.first(where: { $0.name == "topology" })
    {
      node = topology.node
    }
    let members = try node.members(
      of: "a topology", ["interfaces", "routes", "rules", "neighbours", "sysctls"])
    if case .members(let interfaces)? = members["interfaces"]?.node.value {
      for member in interfaces { self.interfaces.append(try Self.interface(member)) }
    } else {
      throw (members["interfaces"]?.node ?? node).fault(
        "a topology has interfaces, such as 'interfaces: {lan0: 192.168.1.1/24, wan0: 203.0.113.2/30}'"
      )
    }
    try takePorts(members["interfaces"]!.node)
    for (key, path) in [
      ("routes", \Topology.routes), ("rules", \Topology.rules),
      ("neighbours", \Topology.neighbours),
    ] {
      for item in members[key]?.node.items ?? [] {
        self[keyPath: path].append(
          Line(
            text: try item.text("what 'ip' takes, such as 'default via 203.0.113.1',"),
            line: item.line))
      }
    }
    guard let settings = members["sysctls"]?.node else { return }
    guard case .members(let values) = settings.value else {
      throw settings.fault("'sysctls' has names with values, such as 'net.ipv4.ip_forward: 1'")
    }
    for member in values {
      self.settings.append(
        (member.name, try member.node.text("a value"), member.line))
    }
  }

  private static func interface(
    _ member: ConfigurationNode.Member
  ) throws(ConfigurationFault) -> Interface {
    var interface = Interface(name: member.name, line: member.line)
    guard InterfaceName.isOne(member.name) else {
      throw ConfigurationFault(
        line: member.line, "'\(member.name)' is no name of an interface: at most 15 letters, no '/'"
      )
    }
    guard case .members = member.node.value else {
      interface.addresses = try addresses(member.node)
      return interface
    }
    let known = try member.node.members(
      of: "an interface", ["type", "address", "addresses", "ports", "mtu", "up"])
    for key in ["address", "addresses"] {
      if let node = known[key]?.node { interface.addresses += try addresses(node) }
    }
    if let node = known["type"]?.node {
      let type = try node.text("a type")
      guard ["bridge", "ethernet", "veth"].contains(type) else {
        throw node.fault("'\(type)' is not made here: an interface is an ethernet, or a bridge")
      }
      interface.isBridge = type == "bridge"
    }
    if let node = known["mtu"]?.node {
      let text = try node.text("octets")
      guard let mtu = UInt32(text), (68...65535).contains(mtu) else {
        throw node.fault("'\(text)' is no MTU: 68 to 65535 octets")
      }
      interface.mtu = mtu
    }
    if let node = known["up"]?.node {
      let text = try node.text("true or false")
      guard ["true", "false", "yes", "no"].contains(text) else {
        throw node.fault("'up' is true or false; not '\(text)'")
      }
      interface.isUp = ["true", "yes"].contains(text)
    }
    return interface
  }

  private static func addresses(
    _ node: ConfigurationNode
  ) throws(ConfigurationFault) -> [Prefix] {
    var prefixes: [Prefix] = []
    for item in node.items {
      let text = try item.text("an address with its subnet, such as 192.168.1.1/24,")
      guard text.contains("/"), let prefix = Prefix(text) else {
        throw item.fault("'\(text)' is no address with its subnet, such as 192.168.1.1/24")
      }
      prefixes.append(prefix)
    }
    return prefixes
  }

  /// The ports of bridges, which are interfaces of their own.
  private mutating func takePorts(_ node: ConfigurationNode) throws(ConfigurationFault) {
    guard case .members(let members) = node.value else { return }
    for member in members {
      guard case .members(let values) = member.node.value,
        let ports = values.first(where: { $0.name == "ports" })?.node
      else { continue }
      guard interfaces.contains(where: { $0.name == member.name && $0.isBridge }) else {
        throw ports.fault("'\(member.name)' is no bridge: 'ports' goes with 'type: bridge'")
      }
      for item in ports.items {
        let name = try item.text("the name of a port")
        if let index = interfaces.firstIndex(where: { $0.name == name }) {
          interfaces[index].master = member.name
        } else {
          guard InterfaceName.isOne(name) else {
            throw item.fault("'\(name)' is no name of an interface")
          }
          var port = Interface(name: name, line: item.line)
          port.master = member.name
          interfaces.append(port)
        }
      }
    }
  }

  /// Whether both describe the same.
  package static func == (left: Topology, right: Topology) -> Bool {
    left.interfaces == right.interfaces && left.routes == right.routes && left.rules == right.rules
      && left.neighbours == right.neighbours
      && left.settings.elementsEqual(right.settings, by: ==)
  }
}
