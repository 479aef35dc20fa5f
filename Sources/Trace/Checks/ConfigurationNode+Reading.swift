/// Reading what a file is to say, with words for who wrote something else.
extension ConfigurationNode {
  /// The members, each of which is one of `known`. `what` is what they describe.
  func members(
    of what: String, _ known: [String]
  ) throws(ConfigurationFault) -> [String: Member] {
    guard case .members(let members) = value else {
      throw fault("\(what) has names with values, such as '\(known[0]): …', and this is \(kind)")
    }
    for member in members where !known.contains(member.name) {
      let nearest = NearestWord.to(member.name, among: known)
      throw ConfigurationFault(
        line: member.line,
        "\(what) has no '\(member.name)'"
          + (nearest.map { "; did you mean '\($0)'?" }
            ?? ": it has \(known.joined(separator: ", "))"))
    }
    return Dictionary(members.map { ($0.name, $0) }) { first, _ in first }
  }

  /// The text that it is. `what` is what it is to be, with an example.
  func text(_ what: String) throws(ConfigurationFault) -> String {
    guard case .text(let text) = value else {
      throw fault("\(what) is expected, and this is \(kind)")
    }
    return text
  }

  /// What is in a list; of what is none, it alone. Nothing is in nothing.
  var items: [ConfigurationNode] {
    switch value {
    case .list(let nodes): nodes
    case .nothing: []
    case .text, .members: [self]
    }
  }

  /// What is wrong here.
  func fault(_ text: String) -> ConfigurationFault { ConfigurationFault(line: line, text) }
}
