internal import CNetfilter
internal import Glibc
internal import Trace
package import Wire

/// A copy of this process that brings what is exported to collectors: a collector that hangs keeps nobody waiting who does not want to
/// wait. It stays in the network namespace in which it is started, and has no rights.
///
/// It has one thing to bring at a time.
package final class Courier {
  private let process: ForkedProcess
  private var answer: [UInt8] = []
  /// Whether it is on its way.
  package private(set) var isBusy = false
  /// Whether it can be given nothing any more.
  private var isGone = false

  /// Where something is brought.
  package struct Endpoint: Sendable {
    /// The collector.
    package var address: HTTPAddress
    /// What the header of each request has besides.
    package var fields: [(name: String, value: String)]
    /// Nanoseconds that a request takes at most, with all that is tried again.
    package var timeout: UInt64

    /// An endpoint of these values.
    package init(
      _ address: HTTPAddress, fields: [(name: String, value: String)] = [], timeout: UInt64
    ) {
      self.address = address
      self.fields = fields
      self.timeout = timeout
    }
  }

  /// What came of a request.
  package enum Outcome: Sendable, Equatable {
    /// The collector has it.
    case taken
    /// It has it but for so many things; 0 where it only has something to say.
    case partly(refused: Int, words: String)
    /// It has refused it.
    case refused(String)
    /// It could not be asked, or says nothing.
    case unreachable(String)
  }

  /// Starts it, with the network namespace of the calling thread, which must be the only one. Nil where that fails.
  package init?(to endpoints: [Endpoint]) {
    // A number that two of this program's processes would both have is read before there are two.
    _ = Clock.difference
    let process = ForkedProcess { connection, _ in
      Self.serve(FileDescriptor(owning: connection), endpoints)
    }
    guard let process else { return nil }
    self.process = process
    var patience = timeval(tv_sec: 2, tv_usec: 0)
    // Sound: the size is that of the variable pointed to. One that was stopped keeps nobody waiting.
    _ = unsafe setsockopt(
      process.connection, SOL_SOCKET, SO_SNDTIMEO, &patience,
      socklen_t(MemoryLayout<timeval>.size))
  }

  /// For poll(2): readable when something came of what it was given.
  package var descriptor: Int32 { process.connection }

  /// Gives it the body of a request to the endpoint of this number. Not while it is busy. Returns whether it took it.
  package func bring(_ body: [UInt8], to endpoint: Int) -> Bool {
    precondition(!isBusy)
    guard !isGone, let number = UInt8(exactly: endpoint) else { return false }
    let count = UInt32(clamping: body.count)
    let head = [number] + (0..<4).map { UInt8(truncatingIfNeeded: count >> (24 - 8 * $0)) }
    guard Self.send(head + body, to: process.connection) else {
      isGone = true
      return false
    }
    isBusy = true
    return true
  }

  /// What came of what it was given last; nil while it is on its way. Waits for nothing.
  package func outcome() -> Outcome? {
    guard isBusy else { return nil }
    var buffer = [UInt8](repeating: 0, count: 4096)
    while answer.last != UInt8(ascii: "\n") {
      // Sound: the pointer and the size are those of one buffer.
      let count = unsafe buffer.withUnsafeMutableBytes {
        unsafe recv(process.connection, $0.baseAddress!, $0.count, Int32(MSG_DONTWAIT))
      }
      if count < 0, errno == EAGAIN || errno == EINTR { return nil }
      guard count > 0 else {
        isGone = true
        isBusy = false
        return .unreachable("who was to bring it is gone")
      }
      answer += buffer[..<count]
    }
    defer { answer = [] }
    isBusy = false
    return Outcome(json: String(decoding: answer.dropLast(), as: UTF8.self))
  }

  private static func send(_ octets: [UInt8], to connection: Int32) -> Bool {
    var start = 0
    while start < octets.count {
      // Sound: the pointer stays inside the array for as long as the call lasts. Who went is no reason for a signal.
      let count = try? syscall {
        unsafe octets.withUnsafeBytes {
          unsafe Glibc.send(
            connection, $0.baseAddress! + start, octets.count - start, Int32(MSG_NOSIGNAL))
        }
      }
      guard let count else { return false }
      start += count
    }
    return true
  }

  // MARK: In the copy

  private static func serve(
    _ connection: borrowing FileDescriptor, _ endpoints: [Endpoint]
  ) -> Never {
    guard (try? Privileges.keep([])) != nil else { _exit(1) }
    while let head = read(5, from: connection) {
      let count = head.dropFirst().reduce(0) { $0 << 8 | Int($1) }
      guard let body = read(count, from: connection), endpoints.indices.contains(Int(head[0]))
      else { break }
      let outcome = bring(body, to: endpoints[Int(head[0])])
      guard send(Array((outcome.json + "\n").utf8), to: connection.number) else { break }
    }
    _exit(0)
  }

  private static func read(_ count: Int, from connection: borrowing FileDescriptor) -> [UInt8]? {
    var octets = [UInt8](repeating: 0, count: count)
    var start = 0
    while start < count {
      // Sound: the pointer stays inside the array for as long as the call lasts.
      let got = try? syscall {
        unsafe octets.withUnsafeMutableBytes {
          unsafe Glibc.read(connection.number, $0.baseAddress! + start, count - start)
        }
      }
      guard let got, got > 0 else { return nil }
      start += got
    }
    return octets
  }

  /// Nanoseconds until a request is tried again, where the collector does not say; twice as many each time.
  private static let pause: UInt64 = 500_000_000

  /// Sends a request, again where the collector asks for that, until its time is over:
  /// https://opentelemetry.io/docs/specs/otlp/#failures-1
  private static func bring(_ body: [UInt8], to endpoint: Endpoint) -> Outcome {
    let deadline = Clock.monotonic + endpoint.timeout
    let request = HTTPRequest(
      post: body, to: endpoint.address,
      fields: [("Content-Type", "application/x-protobuf")] + endpoint.fields)
    var pause = Self.pause
    while true {
      let answer: HTTPResponse
      do {
        answer = try HTTPExchange.answer(to: request, by: deadline)
      } catch {
        return .unreachable(error.words)
      }
      if (200..<300).contains(answer.status) { return Outcome(taking: answer.body) }
      guard [429, 502, 503, 504].contains(answer.status) else {
        return .refused(words(answer))
      }
      // Not all who were refused at one moment are to come back at one.
      let chosen = UInt64.random(in: pause / 2...pause)
      let next =
        answer.retryAfter.map { UInt64(clamping: min($0, 1_000_000)) * 1_000_000_000 } ?? chosen
      guard next < deadline.subtracting(clamped: Clock.monotonic) else {
        return .refused(words(answer))
      }
      Loop.pause(nanoseconds: next)
      pause *= 2
    }
  }

  /// What a collector refused something with: "it answered 415 Unsupported Media Type".
  private static func words(_ answer: HTTPResponse) -> String {
    // A `Status` of Google's, where it is in protobuf: its field 2 is the message.
    for case (2, .octets(let octets)) in ProtobufFields(answer.body) {
      let words = Escape.text(String(decoding: octets.prefix(200), as: UTF8.self))
      if !words.isEmpty { return "it answered with status \(answer.status): \(words)" }
    }
    return "it answered with status \(answer.status)"
  }
}

extension Courier.Outcome {
  /// What a collector says that has taken something: an `ExportTraceServiceResponse` or one of logs, which have the same
  /// fields.
  init(taking body: [UInt8]) {
    self = .taken
    for case (1, .octets(let partial)) in ProtobufFields(body) {
      var (refused, words) = (0, "")
      for field in ProtobufFields(partial) {
        switch field {
        case (1, .number(let number)): refused = Int(clamping: Int64(bitPattern: number))
        case (2, .octets(let text)):
          words = Escape.text(String(decoding: text.prefix(200), as: UTF8.self))
        default: break
        }
      }
      if refused > 0 || !words.isEmpty { self = .partly(refused: max(refused, 0), words: words) }
    }
  }

  fileprivate var json: String {
    let value: JSONValue =
      switch self {
      case .taken: .array([])
      case .partly(let refused, let words): .array([.int(refused), .string(words)])
      case .refused(let words): .array([.string(words), .bool(true)])
      case .unreachable(let words): .array([.string(words), .bool(false)])
      }
    return value.line
  }

  fileprivate init(json: String) {
    self = .unreachable("what became of it is not known")
    guard case .array(let values)? = try? JSONValue(json) else { return }
    if values.isEmpty { self = .taken }
    guard values.count == 2 else { return }
    switch (values[0], values[1]) {
    case (.int(let refused), .string(let words)): self = .partly(refused: refused, words: words)
    case (.string(let words), .bool(true)): self = .refused(words)
    case (.string(let words), .bool(false)): self = .unreachable(words)
    default: return
    }
  }
}
