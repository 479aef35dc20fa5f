import Foundation

/// Writes the files that are made of the registry, or sees whether they are as they should be.
struct FindingFiles {
  let root: URL
  let isCheck: Bool
  /// Those that were not as they should be.
  private(set) var behind: [String] = []
  private static let folder = "docs/findings"

  init(root: URL, isCheck: Bool) {
    self.root = root
    self.isCheck = isCheck
  }

  mutating func put(_ catalogue: FindingCatalogue) throws {
    let files = catalogue.files
    for (name, text) in files.sorted(by: { $0.key < $1.key }) {
      try put(text, in: "\(Self.folder)/\(name)")
    }
    try removeOthers(than: files)
    let readme = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
    try put(try catalogue.list(in: readme), in: "README.md")
  }

  private mutating func put(_ text: String, in name: String) throws {
    let file = root.appending(path: name)
    guard (try? String(contentsOf: file, encoding: .utf8)) != text else { return }
    behind.append(name)
    guard !isCheck else { return }
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try text.write(to: file, atomically: true, encoding: .utf8)
  }

  /// Pages of findings that there are no longer.
  private mutating func removeOthers(than files: [String: String]) throws {
    let folder = root.appending(path: Self.folder)
    let there = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    for name in there.sorted() where name.hasSuffix(".md") && files[name] == nil {
      behind.append("\(Self.folder)/\(name)")
      if !isCheck { try FileManager.default.removeItem(at: folder.appending(path: name)) }
    }
  }
}
