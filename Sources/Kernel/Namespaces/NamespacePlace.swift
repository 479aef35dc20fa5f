/// Which network namespace the calling thread is in, in a form that file names can have.
public struct NamespacePlace: Sendable, Equatable {
  /// The inode number; given to another namespace when this one is gone.
  public let inode: UInt64
  /// What is never given to another one during a boot; 0 on kernels that have none.
  public let cookie: UInt64

  /// That of the calling thread.
  public static func current() throws(KernelError) -> NamespacePlace {
    let place = try JournalPlace.current()
    return NamespacePlace(inode: place.inode, cookie: place.cookie)
  }

  /// "4026532201-5".
  public var key: String { "\(inode)-\(cookie)" }

  /// Whether a key is that of a namespace that is gone, because another has its inode number.
  public func isSuccessor(ofKey other: Substring) -> Bool {
    other != key && other.hasPrefix("\(inode)-")
  }
}
