internal import Glibc
internal import Wire

/// The running kernel's log, from its oldest message on: /dev/kmsg, which gives one message a read
/// (Documentation/ABI/testing/dev-kmsg).
package struct KernelLog: ~Copyable {
  private let file: FileDescriptor
  private var buffer = [UInt8](repeating: 0, count: 8192)
  /// The number of the message that was read last.
  private var number: UInt64?
  /// Messages that the kernel threw away before they were read.
  package private(set) var lost = 0

  /// Where it is.
  package static let path = "/dev/kmsg"

  /// Opens it, before its oldest message, or behind its newest. The corresponding C function is
  /// `open`; it needs CAP_SYSLOG unless the sysctl kernel.dmesg_restrict is 0.
  package init(fromNow: Bool = false) throws(KernelError) {
    do {
      file = try FileDescriptor(Self.path, O_RDONLY | O_NONBLOCK)
    } catch {
      let help: String? =
        switch error.code {
        case EPERM, EACCES:
          "It needs CAP_SYSLOG where kernel.dmesg_restrict=1: run it as root (sudo). Or name a "
            + "FILE with what dmesg or journalctl -k printed."
        case ENOENT, ENXIO:
          "It is not there in this container: name a FILE with what dmesg or journalctl -k printed."
        default: nil
        }
      throw KernelError(
        cannot: "read the kernel log \(Self.path)", function: "open", errno: error.code, help: help)
    }
    if fromNow { lseek(file.number, 0, SEEK_END) }
  }

  /// The descriptor, to be waited for.
  package var fileDescriptor: Int32 { file.number }

  /// The next messages, each ending with a line feed; none where there are no more yet. Those that
  /// were thrown away meanwhile are counted.
  package mutating func read() throws(KernelError) -> [UInt8] {
    var messages: [UInt8] = []
    var hasGap = false
    while messages.count < 1 << 18 {
      let count: Int
      do throws(Errno) {
        count = try syscall {
          // Sound: the pointer and the size are those of one buffer.
          unsafe buffer.withUnsafeMutableBytes {
            unsafe Glibc.read(file.number, $0.baseAddress!, $0.count)
          }
        }
      } catch {
        switch error.code {
        case EINVAL: continue  // A message longer than any about a packet.
        case EPIPE:
          hasGap = true
          continue
        case EAGAIN: return messages
        default:
          throw KernelError(cannot: "read the kernel log", function: "read", errno: error.code)
        }
      }
      if count == 0 { return messages }
      let this = Self.number(buffer[..<count])
      if hasGap, let last = number, let this, this > last {
        lost = lost.adding(clamped: Int(clamping: this - last - 1))
      }
      hasGap = false
      number = this ?? number
      messages += buffer[..<count]
    }
    return messages
  }

  /// The number of a message, behind the first comma.
  private static func number(_ message: ArraySlice<UInt8>) -> UInt64? {
    let digits = message.drop { $0 != UInt8(ascii: ",") }.dropFirst().prefix {
      $0 != UInt8(ascii: ",")
    }
    return UInt64(String(decoding: digits, as: UTF8.self))
  }
}
