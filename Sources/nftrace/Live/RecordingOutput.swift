import App
import Kernel

/// The file of a recorder, FILE, and the one before it, FILE.1.
final class RecordingOutput: RecordingMedium {
  private let path: String
  /// Whether it is kept where nftrace keeps its own files, and not where a user said.
  private let isOurs: Bool
  private var file: OutputFile

  /// Makes the file, or empties it.
  init(_ path: String, isOurs: Bool) throws(KernelError) {
    self.path = path
    self.isOurs = isOurs
    file = try isOurs ? OutputFile(ours: path) : OutputFile(path, mustBeRegular: true)
  }

  /// Where files are made when it is full.
  var directory: String { OutputFile.directory(of: path) }

  var previousSize: Int { FileIdentity(path + ".1")?.size ?? 0 }
  var size: Int? { file.size }

  func write(_ bytes: [UInt8]) throws(KernelError) { try file.write(bytes) }

  func cut(to octets: Int) { file.cut(to: octets) }

  func rotate() throws(KernelError) {
    try OutputFile.rename(path, to: path + ".1")
    // Nobody is to have put something else there meanwhile.
    file = try isOurs ? OutputFile(ours: path) : OutputFile(path, mustBeNew: true)
  }

  func remove() { OutputFile.remove(path) }
}
