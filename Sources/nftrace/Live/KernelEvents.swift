import App
import Kernel
import Trace

/// A netfilter socket, for several to hold.
final class KernelEvents: EventSource {
  /// The socket.
  var socket: NetfilterSocket

  /// Takes it over.
  init(_ socket: consuming NetfilterSocket) { self.socket = socket }

  var fileDescriptor: Int32 { socket.fileDescriptor }

  func drain(
    atMost limit: Int, into record: (Record) throws(KernelError) -> Void
  ) throws(KernelError) -> Bool {
    try socket.drain(atMost: limit, into: record)
  }

  func stopListening() { socket.stopListening() }

  func skip() -> Int { socket.skip() }
}
