internal import CNetfilter
internal import Glibc
internal import Wire

/// What BPF programs are called.
enum ProgramNames {
  /// The name of the program with this number, as `bpftool prog` lists it; nil where it has none, or the
  /// rights (CAP_SYS_ADMIN) are not there to ask.
  static func name(of program: UInt32) -> String? {
    var octets = [CChar](repeating: 0, count: 17)
    // Sound: 16 octets are written, and there is room for 17.
    let status = unsafe octets.withUnsafeMutableBufferPointer {
      unsafe nftrace_bpf_program_name(program, $0.baseAddress!)
    }
    guard status == 0 else { return nil }
    let name = octets.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    return name.isEmpty ? nil : String(octets: name)
  }
}
