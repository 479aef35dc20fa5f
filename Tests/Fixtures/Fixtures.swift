package import Foundation

/// The recorded sessions in fixtures/, and what is to be told of them.
package enum Fixtures {
  /// The folder.
  package static let directory = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "fixtures")

  /// Names of the files with this ending.
  package static func files(_ ending: String) -> [String] {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
    return files.filter { $0.hasSuffix(ending) }.sorted()
  }

  /// The sessions by their names, without ".pcapng".
  package static let sessions = files(".pcapng").map { String($0.dropLast(7)) }

  /// The octets of a session.
  package static func octets(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: directory.appending(path: "\(name).pcapng")))
  }
}
