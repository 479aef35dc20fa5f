/// Which network namespace a journal is about.
struct JournalPlace: Equatable {
  var inode: UInt64
  /// What is never given to another namespace during one boot; 0 on kernels that have none.
  var cookie: UInt64
  /// /proc/sys/kernel/random/boot_id.
  var boot: String
}
