package import Kernel

/// A TUN device whose packets go through one buffer.
package protocol PacketDevice: AnyObject {
  /// Readable when there is a packet.
  var descriptor: Int32 { get }
  /// Reads the next packet into a buffer that has room for any. Returns its octets; nil if there is none.
  func read(into buffer: inout [UInt8]) throws(KernelError) -> Int?
  /// Gives the kernel the packet in the first `count` octets.
  func write(_ buffer: [UInt8], count: Int) throws(KernelError)
}
