internal import App
internal import Foundation

/// A directory for what nftrace keeps, which goes with this value, and somebody who hears what is said.
package final class TemporaryState {
  /// Where it is.
  package let directory: String
  /// What was said.
  package private(set) var heard = HeardOutput()

  /// Nothing is kept yet.
  package init() throws {
    directory = FileManager.default.temporaryDirectory.path + "/nftrace-\(UUID().uuidString)"
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
  }

  deinit { try? FileManager.default.removeItem(atPath: directory) }

  /// Runs a command there: nothing of what was said before is heard any more.
  @discardableResult
  package func within<Result>(_ body: () throws -> Result) rethrows -> Result {
    heard = HeardOutput()
    return try StateDirectory.$chosen.withValue(directory) {
      try Output.$place.withValue(heard, operation: body)
    }
  }

  /// The names of the files.
  package var names: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).sorted()
  }

  /// The path of a file.
  package func path(_ name: String) -> String { "\(directory)/\(name)" }

  /// Puts a file there.
  package func put(_ octets: [UInt8], as name: String) throws {
    try Data(octets).write(to: URL(filePath: path(name)))
  }

  /// The text of a file.
  package func text(_ name: String) throws -> String {
    try String(contentsOfFile: path(name), encoding: .utf8)
  }
}
