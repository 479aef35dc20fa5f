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

/// A BPF program in the kernel, freed when nothing uses it any more.
struct BPFProgram: ~Copyable {
  private let file: FileDescriptor

  /// Valid as long as this value lives.
  var descriptor: Int32 { file.number }

  /// What a program is for, and so what it may do.
  enum Kind {
    case rawTracepoint, xdp

    fileprivate var number: UInt32 {
      switch self {
      case .rawTracepoint: BPF_PROG_TYPE_RAW_TRACEPOINT.rawValue
      case .xdp: BPF_PROG_TYPE_XDP.rawValue
      }
    }

    fileprivate var rights: String {
      switch self {
      case .rawTracepoint: "CAP_BPF and CAP_PERFMON"
      case .xdp: "CAP_BPF and CAP_NET_ADMIN"
      }
    }
  }

  /// The licence that is nftrace's own. The kernel lends some helpers to GPL programs only.
  private static let license = "GPL"
  /// Octets of what the verifier says that are read at most.
  private static let logSize = 64 << 10

  /// Loads a program. A program that the verifier refuses is loaded again to hear why: the last line
  /// of its log is in the error's help.
  init(
    _ kind: Kind, _ instructions: [UInt64], attempt: String
  ) throws(KernelError) {
    var log: [CChar] = []
    var result = Self.load(kind, instructions, &log)
    if result.errno != 0, ![EPERM, ENOMEM].contains(result.errno) {
      log = Array(repeating: 0, count: Self.logSize)
      result = Self.load(kind, instructions, &log)
      let text = String(
        decoding: log.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      let lines = text.split(separator: "\n").filter { !$0.hasPrefix("processed ") }
      if result.errno != 0, let reason = lines.last {
        throw KernelError(
          cannot: attempt, function: "bpf(BPF_PROG_LOAD)", errno: result.errno,
          help: BPF.help(forVerifier: String(reason)))
      }
    }
    guard result.errno == 0 else {
      throw BPF.failure(attempt, "bpf(BPF_PROG_LOAD)", result.errno, rights: kind.rights)
    }
    file = FileDescriptor(owning: result.number)
  }

  /// The program's descriptor, or an errno that is not 0. The verifier writes into all of `log`.
  private static func load(
    _ kind: Kind, _ instructions: [UInt64], _ log: inout [CChar]
  ) -> (number: Int32, errno: Int32) {
    let size = UInt32(log.count)
    // Sound: an instruction is eight octets, as an element of the array is; the log has as many
    // octets as is said.
    return BPF.allowed {
      unsafe nftrace_bpf_program(
        kind.number, instructions, UInt32(instructions.count), license, &log, size)
    }
  }

  /// Runs the program whenever the kernel passes this tracepoint, until the descriptor that is
  /// returned is closed.
  borrowing func attach(toTracepoint name: String) throws(KernelError) -> FileDescriptor {
    // Sound: the kernel reads the name up to its terminating zero, during the call only.
    let number = unsafe nftrace_bpf_raw_tracepoint(name, descriptor)
    guard number >= 0 else {
      throw BPF.failure(
        "attach to the tracepoint \(name)", "bpf(BPF_RAW_TRACEPOINT_OPEN)", errno)
    }
    return FileDescriptor(owning: number)
  }
}

/// What all uses of bpf(2) share.
enum BPF {
  static func failure(
    _ attempt: String, _ function: String, _ code: Int32,
    rights: String = "CAP_BPF and CAP_PERFMON"
  ) -> KernelError {
    let help: String? =
      switch code {
      case EPERM:
        "This needs \(rights), outside of user namespaces: run it as root of the host (sudo), or "
          + "give the container these capabilities."
      case ENOSYS: "The kernel was built without bpf(2)."
      case EINVAL: "The kernel is too old for it."
      default: nil
      }
    return KernelError(cannot: attempt, function: function, errno: code, help: help)
  }

  /// Makes a call that returns a descriptor, or -1 and an errno. Before Linux 5.11 what it makes counts
  /// against RLIMIT_MEMLOCK, mostly 64 KiB, and EPERM is what is said when that is too little: so it is
  /// made once more with as much as may be had.
  static func allowed(_ call: () -> Int32) -> (number: Int32, errno: Int32) {
    var number = call()
    if number < 0, errno == EPERM, raiseLimit() { number = call() }
    return (number, number < 0 ? errno : 0)
  }

  /// Whether more memory may be locked than before; `errno` is EPERM otherwise.
  private static func raiseLimit() -> Bool {
    let (resource, infinity) = (Int32(__RLIMIT_MEMLOCK.rawValue), rlim_t.max)
    var limit = rlimit()
    // Sound: the pointers are those of variables of the type that the functions take.
    guard unsafe getrlimit(resource, &limit) == 0, limit.rlim_cur != infinity else {
      errno = EPERM
      return false
    }
    var wanted = rlimit(rlim_cur: infinity, rlim_max: infinity)
    if unsafe setrlimit(resource, &wanted) == 0 { return true }
    wanted = rlimit(rlim_cur: limit.rlim_max, rlim_max: limit.rlim_max)
    if limit.rlim_cur < limit.rlim_max, unsafe setrlimit(resource, &wanted) == 0 {
      return true
    }
    errno = EPERM
    return false
  }

  // MARK: Lockdown

  private static let isLockedDown =
    "The kernel is locked down (lockdown=confidentiality): no program may read its memory, whatever "
    + "its rights; that is decided when it boots."

  /// What the last line of the verifier's log means to somebody who wants it to work.
  static func help(forVerifier line: String) -> String {
    // A kernel that is locked down does not say so, but denies the helper: "unknown func
    // bpf_probe_read_kernel#113", or since Linux 6.13 "program of this type cannot use helper …".
    guard line.contains("bpf_probe_read_kernel") else {
      return "The kernel's verifier says: \(line)"
    }
    return "The kernel lets no program read its memory: it is locked down "
      + "(lockdown=confidentiality), or older than Linux 5.5."
  }

  /// Throws where the kernel lets no program read its memory. To be asked before trying: some
  /// kernels, 5.10 among them, take such a program and give it zeros.
  static func refuseLockdown(_ attempt: String) throws(KernelError) {
    guard lockdown == "confidentiality" else { return }
    throw KernelError(cannot: attempt, help: isLockedDown)
  }

  /// How far the kernel is locked down, as kernel_lockdown(7) calls it: "integrity" or
  /// "confidentiality". Nil if it is not.
  static var lockdown: String? {
    (try? Files.text("/sys/kernel/security/lockdown")).flatMap(lockdown(in:))
  }

  /// The one of "none [integrity] confidentiality" that is chosen.
  static func lockdown(in text: String) -> String? {
    guard let start = text.firstIndex(of: "["), let end = text.firstIndex(of: "]"), start < end
    else { return nil }
    let chosen = String(text[text.index(after: start)..<end])
    return chosen == "none" ? nil : chosen
  }
}
