internal import CNetfilter
internal import Glibc
internal import Wire

/// A request of HTTP and its answer, over a connection of their own, until a moment and no longer.
enum HTTPExchange {
  /// Why there is no answer.
  struct Failure: Error {
    /// In a few words: "Connection refused".
    var words: String
  }

  /// Sends a request, and reads its answer. `deadline` is a moment of the monotonic clock, nanoseconds.
  static func answer(to request: HTTPRequest, by deadline: UInt64) throws(Failure) -> HTTPResponse {
    let connection = try connect(to: request.address, by: deadline)
    try send(request.bytes, by: connection, until: deadline)
    var octets: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16384)
    var isOver = false
    while true {
      do {
        if let answer = try HTTPResponse(octets, isOver: isOver) { return answer }
      } catch {
        throw Failure(
          words: octets.isEmpty
            ? "it closed the connection without an answer" : "what it answered is no HTTP")
      }
      try wait(for: connection, Int16(POLLIN), until: deadline)
      // Sound: the pointer and the size are those of one buffer.
      let count = unsafe buffer.withUnsafeMutableBytes {
        unsafe recv(connection.number, $0.baseAddress!, $0.count, 0)
      }
      if count < 0 {
        let code = errno
        if code == EAGAIN || code == EINTR { continue }
        throw Failure(words: KernelError.message(code))
      }
      if count == 0 { isOver = true }
      octets += buffer[..<max(count, 0)]
    }
  }

  /// The addresses of a host, in the order in which they are tried.
  private static func addresses(of host: String) throws(Failure) -> [IPAddress] {
    if let address = IPAddress(host) { return [address] }
    var found: [IPAddress] = []
    for version in [nil, 4, 6] {
      if let address = try? Names.address(of: host, version: version), !found.contains(address) {
        found.append(address)
      }
    }
    guard !found.isEmpty else { throw Failure(words: "there is no host of the name \(host)") }
    return found
  }

  /// A connection to the first of the host's addresses that takes it.
  private static func connect(
    to address: HTTPAddress, by deadline: UInt64
  ) throws(Failure) -> FileDescriptor {
    var failure: Failure?
    for candidate in try addresses(of: address.host) {
      do throws(Failure) {
        return try connect(to: candidate, port: address.port, by: deadline)
      } catch {
        failure = error
      }
    }
    throw failure!
  }

  private static func connect(
    to address: IPAddress, port: UInt16, by deadline: UInt64
  ) throws(Failure) -> FileDescriptor {
    let number = socket(
      address.family == 4 ? AF_INET : AF_INET6,
      Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard number >= 0 else { throw Failure(words: KernelError.message(errno)) }
    let connection = FileDescriptor(owning: number)
    // Sound: the address is there during the call, and connect() only reads it.
    let failed = unsafe LocalSender.withAddress(address, port: port) {
      unsafe Glibc.connect(connection.number, $0, $1)
    }
    guard failed == 0 || failed == EINPROGRESS else {
      throw Failure(words: KernelError.message(failed))
    }
    try wait(for: connection, Int16(POLLOUT), until: deadline)
    var code: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    // Sound: the size is that of the variable that the call fills.
    unsafe getsockopt(connection.number, SOL_SOCKET, SO_ERROR, &code, &size)
    guard code == 0 else { throw Failure(words: KernelError.message(code)) }
    return connection
  }

  private static func send(
    _ octets: [UInt8], by connection: borrowing FileDescriptor, until deadline: UInt64
  ) throws(Failure) {
    var start = 0
    while start < octets.count {
      try wait(for: connection, Int16(POLLOUT), until: deadline)
      // Sound: the pointer stays inside the array for as long as the call lasts.
      let count = unsafe octets.withUnsafeBytes {
        unsafe Glibc.send(
          connection.number, $0.baseAddress! + start, octets.count - start, Int32(MSG_NOSIGNAL))
      }
      if count >= 0 {
        start += count
        continue
      }
      switch errno {
      case EAGAIN, EINTR: continue
      // It may have answered before it had read all, and that says more.
      case EPIPE, ECONNRESET: return
      case let code: throw Failure(words: KernelError.message(code))
      }
    }
  }

  /// Waits until something can be done by a connection, which may have failed.
  private static func wait(
    for connection: borrowing FileDescriptor, _ events: Int16, until deadline: UInt64
  ) throws(Failure) {
    var polled = pollfd(fd: connection.number, events: events, revents: 0)
    while true {
      let now = Clock.monotonic
      guard now < deadline else { throw Failure(words: Self.late) }
      let milliseconds = Int32(clamping: (deadline - now) / 1_000_000 + 1)
      // Sound: the pointer is that of the one entry that is said.
      if unsafe poll(&polled, 1, milliseconds) > 0 { return }
    }
  }

  /// What is said where the time is over.
  static let late = "no answer came in time"
}
