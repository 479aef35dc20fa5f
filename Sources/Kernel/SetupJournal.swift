internal import Glibc
internal import Wire

// What setup needs of journals: they outlive their process.
extension Journal {
  /// Makes a TUN device that stays, its removal written down first. Returns its name: the one the
  /// kernel chose, where `name` has "%d". It must be new.
  public borrowing func createPersistentTun(_ name: String) throws(KernelError) -> String {
    // By name first, for it has no index yet; then by index, for the name may be somebody else's by
    // the time it is removed.
    try record(.netlink(LinkMessage.deletion(name: name)))
    do throws(KernelError) {
      let device = try TunDevice(name, mustBeNew: true)
      try device.setPersistent(true)
      try amend(.netlink(LinkMessage.deletion(index: device.index)))
      return device.name
    } catch {
      try withdraw()
      throw error
    }
  }
}

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

  /// What tells this boot of the machine from others.
  public static var boot: String {
    (try? Files.text("/proc/sys/kernel/random/boot_id"))?.split(separator: "\n").first
      .map(String.init) ?? ""
  }
}
