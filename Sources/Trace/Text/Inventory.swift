/// Which machines there are, and in which groups: an inventory of Ansible's, as far as ssh(1) needs it.
///
/// https://docs.ansible.com/ansible/latest/inventory_guide/intro_inventory.html
package struct Inventory: Sendable, Equatable {
  private struct Group: Sendable, Equatable {
    var hosts: [String] = []
    var children: [String] = []
    var variables: [String: String] = [:]
  }

  private var groups: [String: Group] = [:]
  /// Variables of hosts, by their names.
  private var hosts: [String: [String: String]] = [:]
  /// Hosts in the order in which they stand there.
  private var order: [String] = []

  /// What all hosts are in.
  private static let all = "all"
  /// What hosts are in that are in no other group.
  private static let none = "ungrouped"
  /// Groups in groups are followed so far.
  private static let depth = 32

  /// The names of the groups there are.
  package var names: [String] { groups.keys.sorted() }

  // MARK: INI

  /// An inventory in the form of INI. Throws for a line that is none.
  package init(ini text: String) throws(ConfigurationFault) {
    var group = Self.none
    var kind: Substring = "hosts"
    // What some editors put first.
    let text =
      text.unicodeScalars.first == "\u{feff}" ? String(text.unicodeScalars.dropFirst()) : text
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .enumerated()
    {
      let words = Self.words(line)
      guard let first = words.first else { continue }
      if first.hasPrefix("[") {
        guard words.count == 1, first.hasSuffix("]"), first.count > 2 else {
          throw ConfigurationFault(line: index + 1, "a group is [NAME], and this is '\(line)'")
        }
        let parts = first.dropFirst().dropLast().split(separator: ":", maxSplits: 1)
        group = String(parts[0])
        kind = parts.count > 1 ? parts[1] : "hosts"
        guard ["hosts", "children", "vars"].contains(kind) else {
          throw ConfigurationFault(
            line: index + 1, "a group has hosts, children and vars, and no '\(kind)'")
        }
        groups[group, default: Group()].hosts += []
        continue
      }
      switch kind {
      case "children": groups[group]?.children.append(first)
      case "vars":
        let pair = String(line).split(separator: "=", maxSplits: 1).map { Self.trimmed($0) }
        if pair.count == 2 { groups[group]?.variables[pair[0]] = pair[1] }
      default:
        for name in Self.names(in: first) {
          add(name, to: group)
          for word in words.dropFirst() {
            let pair = word.split(separator: "=", maxSplits: 1)
            if pair.count == 2 { hosts[name]?[String(pair[0])] = String(pair[1]) }
          }
        }
      }
    }
  }

  private mutating func add(_ host: String, to group: String) {
    if hosts[host] == nil {
      hosts[host] = [:]
      order.append(host)
    }
    groups[group, default: Group()].hosts.append(host)
  }

  /// Words of a line, without comments; what is in quotes is one.
  private static func words(_ line: Substring) -> [String] {
    var (words, word): ([String], String?) = ([], nil)
    var quote: Character?
    for letter in line {
      if let open = quote {
        if letter == open { quote = nil } else { word!.append(letter) }
      } else if letter == "'" || letter == "\"" {
        quote = letter
        word = word ?? ""
      } else if letter == "#" || letter == ";" {
        break
      } else if letter.isWhitespace {
        if let done = word { words.append(done) }
        word = nil
      } else {
        word = (word ?? "") + String(letter)
      }
    }
    return words + [word].compactMap(\.self)
  }

  private static func trimmed(_ text: Substring) -> String {
    var text = text
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }

  /// "r[01:03].example" is three; also with letters.
  private static func names(in pattern: String) -> [String] {
    guard let open = pattern.firstIndex(of: "["), let end = pattern[open...].firstIndex(of: "]")
    else { return [pattern] }
    let parts = pattern[pattern.index(after: open)..<end].split(separator: ":").map(String.init)
    guard parts.count == 2 || parts.count == 3 else { return [pattern] }
    let step = parts.count == 3 ? Int(parts[2]) ?? 1 : 1
    var values: [String] = []
    if let from = Int(parts[0]), let to = Int(parts[1]), from <= to, step > 0, to - from < 10_000 {
      values = stride(from: from, through: to, by: step).map { number in
        let digits = "\(number)"
        let zeros = parts[0].hasPrefix("0") ? parts[0].count - digits.count : 0
        return String(repeating: "0", count: max(0, zeros)) + digits
      }
    } else if let from = parts[0].utf8.first, let to = parts[1].utf8.first,
      parts[0].utf8.count == 1,
      parts[1].utf8.count == 1, from <= to, step > 0
    {
      values = stride(from: Int(from), through: Int(to), by: step).map {
        String(UnicodeScalar(UInt8($0)))
      }
    }
    if values.isEmpty { return [pattern] }
    let rest = names(in: String(pattern[pattern.index(after: end)...]))
    return values.flatMap { value in rest.map { pattern[..<open] + value + $0 } }
  }

  // MARK: YAML

  /// An inventory in the form of YAML. Throws where something else stands than groups with hosts, children and vars.
  package init(yaml document: ConfigurationNode) throws(ConfigurationFault) {
    guard case .members(let members) = document.value else {
      throw document.fault("an inventory has groups, such as 'all:', and this is \(document.kind)")
    }
    for member in members { try add(member, depth: 0) }
  }

  private mutating func add(
    _ group: ConfigurationNode.Member, depth: Int
  ) throws(ConfigurationFault) {
    groups[group.name, default: Group()].hosts += []
    guard depth < Self.depth else { return }
    if case .nothing = group.node.value { return }
    let parts = try group.node.members(of: "a group", ["hosts", "children", "vars"])
    for host in Self.members(parts["hosts"]) {
      for name in Self.names(in: host.name) {
        add(name, to: group.name)
        hosts[name]?.merge(Self.texts(host.node)) { _, new in new }
      }
    }
    if let variables = parts["vars"] {
      groups[group.name]?.variables.merge(Self.texts(variables.node)) { _, new in new }
    }
    for child in Self.members(parts["children"]) {
      groups[group.name]?.children.append(child.name)
      try add(child, depth: depth + 1)
    }
  }

  private static func members(_ member: ConfigurationNode.Member?) -> [ConfigurationNode.Member] {
    guard case .members(let members)? = member?.node.value else { return [] }
    return members
  }

  private static func texts(_ node: ConfigurationNode) -> [String: String] {
    guard case .members(let members) = node.value else { return [:] }
    return members.reduce(into: [:]) { texts, member in
      if case .text(let text) = member.node.value { texts[member.name] = text }
    }
  }

  // MARK: Machines

  /// The machines of a group, as ssh(1) takes them, each once; nil where there is no such group. A host of this name is a
  /// group of itself.
  package func machines(in group: String) -> [String]? {
    if group == Self.all { return order.map { machine($0, in: nil) } }
    guard groups[group] != nil else {
      return hosts[group] == nil ? nil : [machine(group, in: nil)]
    }
    var found: [String] = []
    for name in members(of: group, depth: 0) where !found.contains(name) { found.append(name) }
    return found.map { machine($0, in: group) }
  }

  private func members(of group: String, depth: Int) -> [String] {
    guard let group = groups[group], depth < Self.depth else { return [] }
    return group.hosts + group.children.flatMap { members(of: $0, depth: depth + 1) }
  }

  /// How ssh(1) gets there.
  private func machine(_ host: String, in group: String?) -> String {
    let holders = groups.filter { $0.value.hosts.contains(host) }.sorted { $0.key < $1.key }
    func variable(_ names: String...) -> String? {
      let places =
        [hosts[host]] + holders.map(\.value.variables)
        + [group.flatMap { groups[$0]?.variables }, groups[Self.all]?.variables]
      return places.lazy.compactMap { $0 }.compactMap { place in
        names.lazy.compactMap { place[$0] }.first
      }.first
    }
    let name = variable("ansible_host", "ansible_ssh_host") ?? host
    let user = variable("ansible_user", "ansible_ssh_user").map { $0 + "@" } ?? ""
    guard let port = variable("ansible_port", "ansible_ssh_port"), port != "22" else {
      return user + name
    }
    return "ssh://\(user)\(name):\(port)"
  }
}
