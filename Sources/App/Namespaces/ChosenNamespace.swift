internal import Glibc
package import Kernel
package import Trace

/// A network namespace that a command works in.
package final class ChosenNamespace {
  /// As it was asked for; nil for the one the command was started in.
  package let name: String?
  /// The file that led to it; nil for the one the command was started in.
  package let path: String?
  private var handle: (any NamespaceHandle)?

  /// The one the command was started in.
  package init() {
    name = nil
    path = nil
    handle = nil
  }

  /// The one that was asked for by this name, path or PID. It is there at least as long as this value.
  package init(_ name: String?, _ handle: any NamespaceHandle, path: String? = nil) {
    self.name = name
    self.path = path
    self.handle = handle
  }

  /// Whether both are the same one, whatever they are called.
  package func isSame(as other: ChosenNamespace) -> Bool {
    handle?.identity == other.handle?.identity
  }

  /// Whether its name leads there no longer.
  package var isGone: Bool {
    guard let name, let handle else { return false }
    do throws(KernelError) {
      return try handle.identity(ofName: name) != handle.identity
    } catch {
      // Of another's process, what is there is not shown to everybody.
      return error.errno != EACCES
    }
  }

  /// Moves the calling thread there for good: nothing is done elsewhere any more, and `within` needs
  /// no rights.
  package func enter() throws(KernelError) { try handle?.enter() }

  /// Lets go of it: nothing is done there any more.
  package func leave() { handle = nil }

  /// Runs `body` there. What it opens stays there.
  package func within<Result>(_ body: () throws -> Result) throws -> Result {
    guard let handle else { return try body() }
    var result: Swift.Result<Result, any Error>?
    try handle.within { result = Swift.Result { try body() } }
    return try result!.get()
  }
}

extension [ChosenNamespace] {
  /// What they are called; none where there is one alone, of which nothing need be told apart.
  package var names: [String] { paths.map(\.name) }

  /// The same, with what leads to them.
  package var paths: [Site] {
    count > 1 ? map { Site(name: $0.name ?? "", path: $0.path) } : []
  }
}

extension ChosenNamespace {
  /// Runs `body` there; if it throws, the error says where, for there are others.
  package func within<Result>(
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
