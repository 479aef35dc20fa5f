/// An answer of HTTP/1.1, as far as it was read: RFC 9112, sections 4, 6 and 7.
package struct HTTPResponse: Sendable, Equatable {
  /// The status code, such as 200.
  package var status: Int
  /// What was sent; of an answer in chunks, without their sizes.
  package var body: [UInt8]
  /// Seconds after which the request may be tried again, where it says so in seconds.
  package var retryAfter: Int?

  /// Octets of an answer that are read at most.
  package static let most = 1 << 16

  /// Reads an answer. `isOver` says whether nothing more comes. Nil while it is not whole; throws where it is none.
  package init?(_ octets: [UInt8], isOver: Bool) throws(Damage) {
    var rest = octets[...]
    var lines: [Substring] = []
    var status = 0
    // Others may come before the one that counts.
    repeat {
      guard Self.begins(rest) else { throw Damage() }
      guard let end = Self.end(ofHeader: rest) else {
        if isOver || octets.count >= Self.most { throw Damage() }
        return nil
      }
      lines = String(decoding: rest[..<end], as: UTF8.self)
        .split(omittingEmptySubsequences: true) { $0 == "\r\n" || $0 == "\n" }
      // HTTP/1.1 200 OK
      let words = lines.first?.split(separator: " ") ?? []
      guard words.count >= 2, words[1].utf8.count == 3, let code = Int(words[1]), code >= 100
      else { throw Damage() }
      status = code
      rest = rest[end...]
    } while status < 200 && status != 101
    self.status = status
    var fields: [String: String] = [:]
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { throw Damage() }
      fields[line[..<colon].lowercased()] = String(
        line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
          .reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    }
    retryAfter = fields["retry-after"].flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil }
    let isFull = isOver || octets.count >= Self.most
    if status == 204 || status == 304 {
      body = []
    } else if fields["transfer-encoding"]?.lowercased().hasSuffix("chunked") == true {
      let (body, isWhole) = try Self.chunks(rest)
      guard isWhole || isFull else { return nil }
      self.body = body
    } else if let length = fields["content-length"] {
      guard let length = Int(length), length >= 0 else { throw Damage() }
      guard rest.count >= length || isFull else { return nil }
      body = Array(rest.prefix(length))
    } else {
      guard isFull else { return nil }
      body = Array(rest)
    }
  }

  /// What came is no HTTP.
  package struct Damage: Error, Equatable {}

  /// Whether it may be the beginning of an answer.
  private static func begins(_ octets: ArraySlice<UInt8>) -> Bool {
    zip(octets, "HTTP/1.".utf8).allSatisfy { $0 == $1 }
  }

  /// Where the header ends: behind an empty line.
  private static func end(ofHeader octets: ArraySlice<UInt8>) -> Int? {
    let lineEnd = UInt8(ascii: "\n")
    var previous: Int?
    for index in octets.indices where octets[index] == lineEnd {
      if let previous,
        index == previous + 1 || index == previous + 2 && octets[index - 1] == UInt8(ascii: "\r")
      {
        return index + 1
      }
      previous = index
    }
    return nil
  }

  private static func chunks(_ octets: ArraySlice<UInt8>) throws(Damage) -> ([UInt8], Bool) {
    var (rest, body) = (octets, [UInt8]())
    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
      let size = String(decoding: rest[..<end], as: UTF8.self)
        .prefix { $0.isHexDigit }
      guard let count = Int(size, radix: 16), count >= 0 else { throw Damage() }
      rest = rest[(end + 1)...]
      if count == 0 { return (body, true) }
      body += rest.prefix(count)
      guard rest.count > count else { return (body, false) }
      rest = rest.dropFirst(count)
      while let next = rest.first, next == UInt8(ascii: "\r") || next == UInt8(ascii: "\n") {
        rest = rest.dropFirst()
      }
    }
    return (body, false)
  }
}
