internal import CNetfilter
internal import Glibc

/// The reading end of a BPF ring buffer: Documentation/bpf/ringbuf.rst of the kernel.
///
///  page 0            page 1            from page 2 on
///  +----------------+----------------+-----------------------------+-----------------------------+
///  | our position   | kernel's       | records, each behind eight  | the same octets once more,  |
///  | (we write)     | position       | octets of header            | so that none is cut in two  |
///  +----------------+----------------+-----------------------------+-----------------------------+
///
/// A header's first word is the record's length, with two bits for records that are still being
/// written, and for those that were given up.
@safe struct BPFRing: ~Copyable {
  /// The ring itself.
  let map: BPFMap
  private let size: Int
  private let page: Int
  private let position: UnsafeMutableRawPointer
  private let records: UnsafeMutableRawPointer

  private static let busy: UInt32 = 1 << 31
  private static let discarded: UInt32 = 1 << 30
  private static let headerLength = 8

  /// Makes a ring of `size` octets, a power of two and a multiple of the page size, and maps it.
  init(size: Int) throws(KernelError) {
    let map = try BPFMap.ring(size: UInt32(size))
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let shared = Int32(MAP_SHARED)
    // Sound: what is mapped is as long as is said: a page, and a page with the ring twice. It is
    // kept until deinit, and unmapped where it is not kept.
    let position = unsafe mmap(nil, page, PROT_READ | PROT_WRITE, shared, map.descriptor, 0)
    guard let position = unsafe position, unsafe position != MAP_FAILED else {
      throw BPF.failure("map a BPF ring buffer", "mmap", errno)
    }
    let records = unsafe mmap(nil, page + 2 * size, PROT_READ, shared, map.descriptor, page)
    guard let records = unsafe records, unsafe records != MAP_FAILED else {
      let code = errno
      unsafe munmap(position, page)
      throw BPF.failure("map a BPF ring buffer", "mmap", code)
    }
    self.map = map
    self.size = size
    self.page = page
    unsafe self.position = position
    unsafe self.records = records
  }

  deinit {
    // Sound: this is what init mapped, in its lengths, and nobody else has it.
    unsafe munmap(position, page)
    unsafe munmap(records, page + 2 * size)
  }

  /// Hands over every record that is complete, oldest first.
  ///
  /// Sound, all of it: positions only grow, and where they are taken modulo the size, which is a
  /// power of two, a record of at most that size lies within the two copies. The kernel does not
  /// write where our position has not been yet. One thread reads, since this mutates.
  mutating func drain(into body: ([UInt8]) -> Void) {
    var consumed = Int(bitPattern: unsafe nftrace_load_acquire(position))
    while consumed < Int(bitPattern: unsafe nftrace_load_acquire(records)) {
      let header = unsafe records + page + consumed % size
      let word = unsafe nftrace_load_length(header)
      guard word & Self.busy == 0 else { return }
      let length = Int(word & ~Self.discarded)
      if word & Self.discarded == 0, length <= size {
        let octets = unsafe UnsafeRawBufferPointer(
          start: header + Self.headerLength, count: length)
        body(unsafe Array(octets))
      }
      consumed += (Self.headerLength + length + 7) & ~7
      unsafe nftrace_store_release(position, UInt(bitPattern: consumed))
    }
  }
}
