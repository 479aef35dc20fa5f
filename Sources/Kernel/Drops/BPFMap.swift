internal import CNetfilter
internal import Glibc

/// A BPF map, freed when nothing uses it any more: bpf(2).
struct BPFMap: ~Copyable {
  private let file: FileDescriptor

  /// For programs that use the map; valid as long as this value lives.
  var descriptor: Int32 { file.number }

  private init(
    _ what: String, type: bpf_map_type, key: UInt32, value: UInt32, entries: UInt32,
    flags: UInt32 = 0
  ) throws(KernelError) {
    let result = BPF.allowed { nftrace_bpf_map(type.rawValue, key, value, entries, flags) }
    guard result.errno == 0 else {
      throw BPF.failure("make \(what)", "bpf(BPF_MAP_CREATE)", result.errno)
    }
    file = FileDescriptor(owning: result.number)
  }

  /// A ring of `size` octets, a power of two and a multiple of the page size, into which programs
  /// write records. Needs Linux 5.8.
  static func ring(size: UInt32) throws(KernelError) -> BPFMap {
    try BPFMap(
      "a BPF ring buffer", type: BPF_MAP_TYPE_RINGBUF, key: 0, value: 0, entries: size)
  }

  /// One number, zero at first, that programs count with.
  static func counter() throws(KernelError) -> BPFMap {
    try BPFMap("a BPF array", type: BPF_MAP_TYPE_ARRAY, key: 4, value: 8, entries: 1)
  }

  /// A text that nobody can change, for helpers that want one.
  static func constant(_ text: String) throws(KernelError) -> BPFMap {
    var octets = Array(text.utf8) + [0]
    let map = try BPFMap(
      "a BPF array", type: BPF_MAP_TYPE_ARRAY, key: 4, value: UInt32(octets.count), entries: 1,
      flags: UInt32(BPF_F_RDONLY_PROG))
    // Sound: the kernel reads as many octets as the map's value has, which is what the array has.
    guard unsafe nftrace_bpf_value(map.descriptor, 1, &octets) == 0 else {
      throw BPF.failure("fill a BPF array", "bpf(BPF_MAP_UPDATE_ELEM)", errno)
    }
    guard nftrace_bpf_freeze(map.descriptor) == 0 else {
      throw BPF.failure("freeze a BPF array", "bpf(BPF_MAP_FREEZE)", errno)
    }
    return map
  }

  /// What a counter counts at the moment.
  borrowing func count() throws(KernelError) -> UInt64 {
    var value: UInt64 = 0
    // Sound: a counter's value has eight octets.
    guard unsafe nftrace_bpf_value(descriptor, 0, &value) == 0 else {
      throw BPF.failure("read a BPF array", "bpf(BPF_MAP_LOOKUP_ELEM)", errno)
    }
    return value
  }
}
