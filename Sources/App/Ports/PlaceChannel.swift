package import Kernel

/// What connects two nftraces on two machines: octets there and back. `SecureShell`, and the standard streams.
package protocol PlaceChannel: AnyObject {
  /// Readable when there is more, or it is over.
  var descriptor: Int32 { get }
  /// What came; empty where there is nothing now, nil where nothing comes any more.
  func read() throws(KernelError) -> [UInt8]?
  /// Sends these octets, or keeps them until the other side reads.
  func write(_ octets: [UInt8]) throws(KernelError)
  /// Sends what is kept, as far as it can be done without waiting. Returns whether that was all.
  func flush() throws(KernelError) -> Bool
  /// Waits so many nanoseconds at most until there is something to read.
  func wait(nanoseconds: UInt64)
  /// Says that nothing more is asked: the other side takes its leave, and is not waited for.
  func hangUp()
  /// Ends it, and who connects.
  func close()
  /// What who connects said of why it is over, in a line; nil where it said nothing.
  var complaint: String? { get }
}

extension PlaceChannel {
  /// Nothing is said, where nobody is waited for.
  package func hangUp() {}
}

extension SecureShell: PlaceChannel {}
extension StandardChannel: PlaceChannel {}
