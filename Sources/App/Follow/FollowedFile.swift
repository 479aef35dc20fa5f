package import Kernel
internal import Report
package import Trace
internal import Wire

/// A session file that grows, and in whose place another one may come.
package final class FollowedFile: FollowedTraffic {
  private let path: String
  private var file: InputFile
  private var decoder = SessionDecoder()
  private var position = 0

  /// Opens the file.
  package init(_ path: String) throws(KernelError) {
    self.path = path
    file = try StateDirectory.input(path)
  }

  /// A file is always readable.
  package var fileDescriptor: Int32? { nil }

  /// The recorder goes on.
  package func stopListening() {}

  /// Hands on what is new; returns whether all there is was read.
  package func read(_ body: (SessionDecoder.Element) throws -> Void) throws -> Bool {
    let bytes = try file.read()
    guard bytes.isEmpty else {
      position += bytes.count
      decoder.feed(bytes)
      do {
        while let element = try decoder.next() { try body(element) }
      } catch let damage as CaptureDamage {
        throw UsageError("\(path) cannot be followed: \(damage)")
      }
      return false
    }
    guard let named = FileIdentity(path), let open = file.identity else { return true }
    if named.isSame(as: open) {
      // Emptied, to begin anew.
      guard named.size < position else { return true }
    } else {
      // What was written before the other one took its place comes first.
      guard open.size <= position else { return false }
    }
    // Where it was replaced twice, the one between has the name of what came before.
    if let previous = FileIdentity(path + ".1"), !previous.isSame(as: open),
      !previous.isSame(as: named),
      !named.isSame(as: open), !isOlder
    {
      try reopen(path + ".1")
      isOlder = true
      return false
    }
    isOlder = false
    try reopen(path)
    return false
  }

  /// Whether what is read is the file before the one that has the name.
  private var isOlder = false

  private func reopen(_ path: String) throws(KernelError) {
    file = try StateDirectory.input(path)
    decoder = SessionDecoder()
    position = 0
  }
}
