package import Report
package import Trace

/// What a command has to say of one of the network namespaces it worked in.
package struct NamespaceReport {
  /// The namespace's name, as it was asked for.
  package let name: String?
  /// What there is to say.
  package let statements: [Statement]

  /// A report of these parts.
  package init(_ name: String?, _ statements: [Statement]) {
    self.name = name
    self.statements = statements
  }
}

extension [NamespaceReport] {
  /// What a command says in JSON: an object, or one in which each of several namespaces has its own.
  /// `count` is how many there are, where not of each something is to be said.
  package func json(_ command: String, of count: Int? = nil) -> JSONValue {
    let head = JSONObjects.head(command)
    let each = map { [("netns", .string($0.name))] + $0.statements.members }
    if count ?? each.count == 1, each.count == 1 { return .object(head + each[0]) }
    return .object(
      head + [("netns", .null), ("namespaces", .array(each.map { .object($0) }))])
  }
}
