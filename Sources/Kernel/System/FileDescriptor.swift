internal import CNetfilter
internal import Glibc

/// A file descriptor with one owner, closed when that goes.
struct FileDescriptor: ~Copyable {
  /// The number; valid as long as this value lives.
  let number: Int32

  /// Takes over a descriptor somebody opened.
  init(owning number: Int32) { self.number = number }

  /// The corresponding C function is `open`; the descriptor is not inherited by programs that are
  /// started. Throws an errno.
  init(_ path: String, _ flags: Int32, mode: mode_t = 0) throws(Errno) {
    // Sound: the name ends with a zero, which is as far as the call reads.
    let number = unsafe nftrace_open(path.nameForC, flags | O_CLOEXEC, mode)
    guard number >= 0 else { throw Errno.current }
    self.number = number
  }

  /// The same, in a directory that is open. The corresponding C function is `openat`.
  init(
    _ name: String, in directory: borrowing FileDescriptor, _ flags: Int32, mode: mode_t = 0
  ) throws(Errno) {
    // Sound: the name ends with a zero, which is as far as the call reads.
    let number = unsafe nftrace_openat(directory.number, name.nameForC, flags | O_CLOEXEC, mode)
    guard number >= 0 else { throw Errno.current }
    self.number = number
  }

  deinit { _ = close(number) }

  /// From now on who reads or writes waits until that can be done (`O_NONBLOCK` is taken away).
  borrowing func waits() {
    let flags = nftrace_file_flags(number)
    if flags >= 0 { _ = nftrace_set_file_flags(number, flags & ~O_NONBLOCK) }
  }

  /// Closes it before its owner goes.
  consuming func closeNow() {}

  /// Hands the descriptor over to somebody else, who closes it.
  consuming func release() -> Int32 {
    let number = number
    discard self
    return number
  }

  /// Writes all of `bytes`. The corresponding C function is `write`.
  borrowing func write(_ bytes: [UInt8]) throws(Errno) {
    var start = 0
    while start < bytes.count {
      start += try syscall {
        // Sound: the pointer stays inside the array for as long as the call lasts.
        unsafe bytes.withUnsafeBytes {
          unsafe Glibc.write(number, $0.baseAddress! + start, bytes.count - start)
        }
      }
    }
  }

  /// Reads to the end. The corresponding C function is `read`.
  borrowing func readToEnd() throws(Errno) -> [UInt8] {
    var result: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = try syscall {
        // Sound: the pointer and the size are those of one buffer.
        unsafe buffer.withUnsafeMutableBytes {
          unsafe Glibc.read(number, $0.baseAddress!, $0.count)
        }
      }
      if count == 0 { return result }
      result += buffer[..<count]
    }
  }
}

extension FileDescriptor {
  /// What is in a file of some megabytes, of about `expected` octets. It is mapped where that can be done: a
  /// file of sysfs gives a page to each read.
  borrowing func contents(expecting expected: Int) throws(Errno) -> [UInt8] {
    if let octets = mapped() { return octets }
    return try readToEnd(expecting: expected)
  }

  /// What is in the file, by `mmap`; nil where the kernel does not say how long it is, or does not map it.
  private borrowing func mapped() -> [UInt8]? {
    guard let information = try? information("map a file"), information.st_size > 0 else {
      return nil
    }
    let size = Int(information.st_size)
    guard let start = unsafe mmap(nil, size, PROT_READ, MAP_PRIVATE, number, 0),
      unsafe start != MAP_FAILED
    else { return nil }
    // Sound: the mapping of this size is there until the function ends, and nobody can write to it.
    defer { unsafe munmap(start, size) }
    return unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: size))
  }

  /// Reads to the end: a file of some megabytes is read several times as fast where it need not grow.
  private borrowing func readToEnd(expecting expected: Int) throws(Errno) -> [UInt8] {
    var failure: Errno?
    // Sound: read() is given what is left of the buffer, and what it filled is declared
    // initialised.
    let octets = unsafe [UInt8](unsafeUninitializedCapacity: expected + 1) { buffer, filled in
      do throws(Errno) {
        while filled < buffer.count {
          let start = filled
          let count = try syscall {
            unsafe Glibc.read(number, buffer.baseAddress! + start, buffer.count - start)
          }
          if count == 0 { return }
          filled += count
        }
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    // Full to the last octet: it is longer than was expected.
    return octets.count <= expected ? octets : try octets + readToEnd()
  }
}

extension FileDescriptor {
  /// What the kernel knows of the file. The corresponding C function is `fstat`.
  borrowing func information(_ attempt: String) throws(KernelError) -> stat {
    var info = stat()
    // Sound: the pointer is that of a variable of the type the function fills.
    guard unsafe fstat(number, &info) == 0 else {
      throw KernelError(cannot: attempt, function: "fstat", errno: errno)
    }
    return info
  }

  /// Takes the file for itself; false if somebody else has it, and it is not to `wait`. The
  /// corresponding C function is `flock`.
  borrowing func lock(attempt: String, wait: Bool = true) throws(KernelError) -> Bool {
    do throws(Errno) {
      try syscall { flock(number, LOCK_EX | (wait ? 0 : LOCK_NB)) }
      return true
    } catch {
      if error.code == EWOULDBLOCK, !wait { return false }
      throw KernelError(cannot: attempt, function: "flock", errno: error.code)
    }
  }
}

extension [UInt8] {
  /// Room for what is going to be received. It is not cleared: that would take longer than most
  /// messages do, and nobody looks at more of it than was received.
  static func room(_ octets: Int) -> [UInt8] {
    // Sound: any octets are valid ones.
    unsafe [UInt8](unsafeUninitializedCapacity: octets) { _, filled in filled = octets }
  }
}
