/// Which network namespace the calling thread is in, in a form that file names can have.
package struct NamespacePlace: Sendable, Equatable {
  /// The inode number; given to another namespace when this one is gone.
  package let inode: UInt64
  /// What is never given to another one during a boot; 0 on kernels that have none.
  package let cookie: UInt64

  /// The namespace with these numbers.
  package init(inode: UInt64, cookie: UInt64) {
    self.inode = inode
    self.cookie = cookie
  }

  /// That of the calling thread.
  package static func current() throws(KernelError) -> NamespacePlace {
    let place = try JournalPlace.current()
    return NamespacePlace(inode: place.inode, cookie: place.cookie)
  }

  /// "4026532201-5".
  package var key: String { "\(inode)-\(cookie)" }

  /// The inode number in a key.
  package static func inode(ofKey key: String) -> UInt64? {
    key.split(separator: "-").first.flatMap { UInt64($0) }
  }

  /// Whether a key is that of a namespace that is gone, because another has its inode number.
  package func isSuccessor(ofKey other: Substring) -> Bool {
    other != key && other.hasPrefix("\(inode)-")
  }
}
