internal import CNetfilter
internal import Glibc

/// A BPF program in the kernel, freed when nothing uses it any more.
struct BPFProgram: ~Copyable {
  private let file: FileDescriptor

  /// Valid as long as this value lives.
  var descriptor: Int32 { file.number }

  /// What a program is for, and so what it may do.
  enum Kind {
    case rawTracepoint, classifier

    fileprivate var number: UInt32 {
      switch self {
      case .rawTracepoint: BPF_PROG_TYPE_RAW_TRACEPOINT.rawValue
      case .classifier: BPF_PROG_TYPE_SCHED_CLS.rawValue
      }
    }

    fileprivate var rights: String {
      switch self {
      case .rawTracepoint: "CAP_BPF and CAP_PERFMON"
      case .classifier: "CAP_BPF and CAP_NET_ADMIN"
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
