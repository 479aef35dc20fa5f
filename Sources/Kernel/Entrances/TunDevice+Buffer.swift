internal import Glibc

// Packets that go through one buffer, for who moves more of them than there is time to allocate. Only
// for devices that were made here: there is nothing before their packets.
extension TunDevice {
  /// Reads the next packet into `buffer`, which must have room for it: 65536 octets are enough for
  /// every packet. Returns its octets; nil if there is none at the moment.
  package borrowing func read(into buffer: inout [UInt8]) throws(KernelError) -> Int? {
    do {
      return try syscall {
        // Sound: the pointer and the size are those of one array.
        unsafe buffer.withUnsafeMutableBytes {
          unsafe Glibc.read(descriptor, $0.baseAddress, $0.count)
        }
      }
    } catch {
      if error.code == EAGAIN { return nil }
      throw failure("read from \(name)", "read", error.code)
    }
  }

  /// Gives the kernel the packet in the first `count` octets of `buffer`, as `write(_:)` does.
  package borrowing func write(_ buffer: [UInt8], count: Int) throws(KernelError) {
    precondition(count <= buffer.count)
    do {
      try syscall {
        // Sound: the call only reads, and no more than the array has.
        unsafe buffer.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, count) }
      }
    } catch {
      throw failure("write a packet to \(name)", "write", error.code)
    }
  }
}
