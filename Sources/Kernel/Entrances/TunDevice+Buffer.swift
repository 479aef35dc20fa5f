internal import Glibc

// Packets that go through one buffer, for who moves more of them than there is time to allocate. Only
// for devices that were made here: there is nothing before their packets.
extension TunDevice {
  /// Reads the next packet into `buffer`, which must have room for it: 65536 octets are enough for
  /// every packet. Returns its octets; nil if there is none at the moment.
  package borrowing func read(into buffer: inout [UInt8]) throws(KernelError) -> Int? {
    while true {
      // Sound: the pointer and the size are those of one array.
      let count = unsafe buffer.withUnsafeMutableBytes {
        unsafe Glibc.read(descriptor, $0.baseAddress, $0.count)
      }
      if count >= 0 { return count }
      let code = errno
      if code == EAGAIN { return nil }
      if code != EINTR { throw failure("read from \(name)", "read", code) }
    }
  }

  /// Gives the kernel the packet in the first `count` octets of `buffer`, as `write(_:)` does.
  package borrowing func write(_ buffer: [UInt8], count: Int) throws(KernelError) {
    precondition(count <= buffer.count)
    while true {
      // Sound: the call only reads, and no more than the array has.
      let written = unsafe buffer.withUnsafeBytes {
        unsafe Glibc.write(descriptor, $0.baseAddress, count)
      }
      if written >= 0 { return }
      let code = errno
      if code != EINTR { throw failure("write a packet to \(name)", "write", code) }
    }
  }
}
