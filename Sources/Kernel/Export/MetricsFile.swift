internal import CNetfilter
internal import Glibc
internal import Wire

/// A file that all may read, and that is always whole: another one takes its place. It is what node_exporter's
/// textfile collector reads, which looks at names that end with ".prom" alone.
package struct MetricsFile: Sendable {
  private let path: String

  /// The file of this path.
  package init(_ path: String) { self.path = path }

  /// Puts this text in the place of the one before it. Where that fails, what was there stays.
  package func put(_ text: String) throws(KernelError) {
    let directory = Files.directory(of: path)
    let name = path.split(separator: "/").last ?? ""
    // Nobody is to have put a link there.
    let draft = "\(directory)/.\(name).\(getpid()).new"
    OutputFile.remove(draft)
    let file = try OutputFile(draft, mustBeNew: true, isForAll: true)
    do {
      try file.write(Array(text.utf8))
      file.letAllRead()
      try OutputFile.rename(draft, to: path)
    } catch {
      OutputFile.remove(draft)
      throw error
    }
  }
}
