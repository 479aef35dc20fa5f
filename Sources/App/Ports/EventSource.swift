package import Kernel
package import Trace

/// What rules report of packets, in the order in which it happened: `NetfilterSocket`.
package protocol EventSource: AnyObject {
  /// Readable when there is more.
  var fileDescriptor: Int32 { get }
  /// Hands over what is there now, at most that of so many datagrams. Returns whether that was all.
  func drain(
    atMost limit: Int, into record: (Record) throws(KernelError) -> Void
  ) throws(KernelError) -> Bool
  /// Nothing new comes any more, but what is waiting.
  func stopListening()
  /// Leaves out what is waiting. Returns how many messages that was.
  func skip() -> Int
}
