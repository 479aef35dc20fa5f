import Glibc
import Kernel
import Trace

/// A network namespace that a command works in.
final class ChosenNamespace {
  /// As it was asked for; nil for the one the command was started in.
  let name: String?
  private var namespace: Held<NetworkNamespace>?

  /// The one the command was started in.
  init() {
    name = nil
    namespace = nil
  }

  /// The one of this name, path or PID. It is there at least as long as this value.
  init(_ name: String) throws(KernelError) {
    self.name = name
    namespace = Held(try NetworkNamespace(name))
  }

  func isSame(as other: ChosenNamespace) -> Bool {
    namespace?.value.identity == other.namespace?.value.identity
  }

  /// Whether its name leads there no longer.
  var isGone: Bool {
    guard let name, let namespace else { return false }
    do throws(KernelError) {
      return try NetworkNamespace(name).identity != namespace.value.identity
    } catch {
      // Of another's process, what is there is not shown to everybody.
      return error.errno != EACCES
    }
  }

  /// Moves the calling thread there for good: nothing is done elsewhere any more, and `within` needs
  /// no rights.
  func enter() throws(KernelError) { try namespace?.value.enter() }

  /// Lets go of it: nothing is done there any more.
  func leave() { namespace = nil }

  /// Runs `body` there. What it opens stays there.
  func within<Result>(_ body: () throws -> Result) throws -> Result {
    guard let namespace else { return try body() }
    return try namespace.value.within { () throws(KernelError) in
      Swift.Result { try body() }
    }.get()
  }
}

/// An error, and the network namespace it came up in, where there are several.
struct NamespaceFailure: Error {
  let name: String
  let error: any Error
  /// What that means for the others.
  var consequence: String?
}

extension [ChosenNamespace] {
  /// What they are called; none where there is one alone, of which nothing need be told apart.
  var names: [String] { count > 1 ? map { $0.name ?? "" } : [] }
}

extension ChosenNamespace {
  /// Runs `body` there; if it throws, the error says where, for there are others.
  func within<Result>(
    among others: [ChosenNamespace], otherwise consequence: String? = nil,
    _ body: () throws -> Result
  ) throws -> Result {
    do {
      return try within(body)
    } catch let error where others.count > 1 {
      throw NamespaceFailure(name: name ?? "", error: error, consequence: consequence)
    }
  }
}

/// What a command says in JSON: an object, or one in which each of several namespaces has its own.
enum NamespaceJSON {
  /// `count` is how many there are, where not of each something is to be said.
  static func object(
    _ command: String, _ each: [(name: String?, members: [(String, JSONValue)])],
    of count: Int? = nil
  ) -> JSONValue {
    let head: [(String, JSONValue)] = [
      ("schema", .string("nftrace/1")), ("command", .string(command)),
    ]
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
