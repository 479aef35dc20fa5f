internal import CNetfilter
internal import Glibc

/// A lock that commands take while they change something, one after the other. It goes with the
/// process. The corresponding C function is `flock`.
package struct FileLock: ~Copyable {
  private let file: FileDescriptor

  /// Takes the lock; waits for who has it, or returns nil if not `wait`.
  package static func take(_ path: String, wait: Bool = true) throws(KernelError) -> FileLock? {
    let file = try open(path)
    guard try file.lock(attempt: "take the lock \(path)", wait: wait) else { return nil }
    return FileLock(file: file)
  }

  /// Opens the file, and makes it if need be.
  private static func open(_ path: String) throws(KernelError) -> FileDescriptor {
    let place = try StateFile.existing(path)
    while true {
      if let file = try place.directory.open(place.name, O_RDWR) { return file }
      do {
        return try place.directory.create(place.name, O_RDWR)
      } catch {
        // Somebody else made it meanwhile.
        if error.errno != EEXIST { throw error }
      }
    }
  }

  private init(file: consuming FileDescriptor) { self.file = file }
}
