import App
import Report
import Trace

/// What a command says in JSON: an object, or one in which each of several namespaces has its own.
enum NamespaceJSON {
  /// `count` is how many there are, where not of each something is to be said.
  static func object(
    _ command: String, _ each: [(name: String?, members: [(String, JSONValue)])],
    of count: Int? = nil
  ) -> JSONValue {
    let head = JSONObjects.head(command)
    func object(_ one: (name: String?, members: [(String, JSONValue)])) -> [(String, JSONValue)] {
      [("netns", .string(one.name))] + one.members
    }
    if count ?? each.count == 1, each.count == 1 { return .object(head + object(each[0])) }
    return .object(
      head + [
        ("netns", .null), ("namespaces", .array(each.map { .object(object($0)) })),
      ])
  }
}
