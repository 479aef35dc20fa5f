import Testing
import Wire

/// HTTP/1.1 as far as nftrace speaks it.
struct HTTPTests {
  @Test(arguments: [
    ("http://localhost", "localhost", 80, "/"), ("http://a:4318", "a", 4318, "/"),
    ("HTTP://10.0.0.1:1/v1/traces", "10.0.0.1", 1, "/v1/traces"),
    ("http://[fd00::1]:4318/x?y=z#w", "fd00::1", 4318, "/x?y=z"),
    ("http://[::1]", "::1", 80, "/"), ("http://a:/", "a", 80, "/"), ("http://a?b", "a", 80, "/?b"),
  ])
  func urls(_ url: String, _ host: String, _ port: UInt16, _ path: String) throws {
    #expect(try HTTPAddress(url: url) == HTTPAddress(host: host, port: port, path: path))
  }

  @Test(arguments: [
    "http://", "http:///x", "http://:80", "http://a:0", "http://a:65536", "http://a:b",
    "http://[::1", "http://[a]", "http://[::1]4318", "http://user:word@a", "http://a b/",
    "http://a/\r\nX: y", "http://é/",
  ])
  func noURLs(_ url: String) {
    #expect(throws: HTTPAddress.Fault.malformed) { try HTTPAddress(url: url) }
  }

  @Test func otherProtocols() {
    #expect(throws: HTTPAddress.Fault.encrypted) { try HTTPAddress(url: "https://a") }
    for url in ["", "a", "a:4318", "/tmp/x", "ftp://a", "http:/a"] {
      #expect(throws: HTTPAddress.Fault.notHTTP) { try HTTPAddress(url: url) }
    }
  }

  @Test func aRequest() throws {
    let request = HTTPRequest(
      post: [1, 2], to: try HTTPAddress(url: "http://[::1]:4318/v1/traces"),
      fields: [
        ("Content-Type", "application/x-protobuf"), ("Bad Name", "x"), ("Bad", "x\r\nY: z"),
        ("", "x"),
      ])
    let text = """
      POST /v1/traces HTTP/1.1\r
      Host: [::1]:4318\r
      Content-Type: application/x-protobuf\r
      Content-Length: 2\r
      Connection: close\r
      \r

      """
    #expect(request.bytes == Array(text.utf8) + [1, 2])
  }

  private static func answer(_ text: String, isOver: Bool = false) throws -> HTTPResponse? {
    try HTTPResponse(Array(text.utf8), isOver: isOver)
  }

  @Test func answers() throws {
    let plain = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab"
    #expect(try Self.answer(plain)?.body == Array("ab".utf8))
    #expect(try Self.answer(plain)?.status == 200)
    #expect(try Self.answer("HTTP/1.1 204 \r\n\r\n")?.body == [])
    #expect(try Self.answer("HTTP/1.0 404 Not Found\n\n") == nil)
    #expect(try Self.answer("HTTP/1.0 404 Not Found\n\nx", isOver: true)?.body == [0x78])
    #expect(
      try Self.answer("HTTP/1.1 100 Continue\r\n\r\n" + plain)?.body == Array("ab".utf8))
    #expect(
      try Self.answer("HTTP/1.1 503 x\r\nRETRY-AFTER:  7 \r\nContent-Length: 0\r\n\r\n")?.retryAfter
        == 7)
    #expect(
      try Self.answer(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\n\r\n")?
        .body == Array("abc".utf8))
  }

  @Test func cutOffAnywhere() throws {
    for text in [
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
    ] {
      let octets = Array(text.utf8)
      let whole = try #require(try HTTPResponse(octets, isOver: true))
      for end in octets.indices {
        let part = Array(octets[..<end])
        if let early = try HTTPResponse(part, isOver: false) { #expect(early == whole) }
        // Where nothing more comes, there is what came of the body, or no answer.
        if let late = try? HTTPResponse(part, isOver: true) { #expect(late.status == 200) }
      }
    }
  }

  @Test(arguments: [
    "220 mail ESMTP\r\n", "\u{0}\u{1}", "HTTP/2 200\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n",
    "HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "HTTP/1.1 200 OK\r\n",
  ])
  func noAnswers(_ text: String) {
    #expect(throws: HTTPResponse.Damage.self) { try Self.answer(text, isOver: true) }
  }

  @Test func anAnswerWithoutEnd() throws {
    let head = Array("HTTP/1.1 200 OK\r\n\r\n".utf8)
    let long = head + Array(repeating: 65, count: HTTPResponse.most)
    #expect(try HTTPResponse(long, isOver: false)?.status == 200)
    #expect(throws: HTTPResponse.Damage.self) {
      try HTTPResponse(
        Array("HTTP/1.1 200 OK\r\nX: ".utf8) + Array(repeating: 65, count: HTTPResponse.most),
        isOver: false)
    }
  }
}
