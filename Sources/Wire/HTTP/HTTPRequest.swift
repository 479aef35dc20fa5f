/// A request of HTTP/1.1 that sends something: RFC 9112, section 3. The connection is closed behind its answer.
package struct HTTPRequest: Sendable, Equatable {
  /// Where it goes.
  package var address: HTTPAddress
  /// Other fields of its header, in their order.
  package var fields: [(name: String, value: String)]
  /// What is sent.
  package var body: [UInt8]

  /// A POST of this. Fields that no header can have are left out.
  package init(
    post body: [UInt8], to address: HTTPAddress, fields: [(name: String, value: String)]
  ) {
    self.address = address
    self.fields = fields.filter { Self.isToken($0.name) && Self.isValue($0.value) }
    self.body = body
  }

  /// As it is sent.
  package var bytes: [UInt8] {
    var head = "POST \(address.path) HTTP/1.1\r\nHost: \(address.authority)\r\n"
    for (name, value) in fields { head += "\(name): \(value)\r\n" }
    head += "Content-Length: \(body.count)\r\nConnection: close\r\n\r\n"
    return Array(head.utf8) + body
  }

  /// Whether it is the name of a field: a token of RFC 9110, section 5.6.2.
  package static func isToken(_ name: String) -> Bool {
    !name.isEmpty
      && name.utf8.allSatisfy { octet in
        switch octet {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"):
          true
        default: "!#$%&'*+-.^_`|~".utf8.contains(octet)
        }
      }
  }

  /// Whether it can be the value of a field: it has no line end, nor another sign that is none.
  package static func isValue(_ value: String) -> Bool {
    value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }
  }

  /// Whether all they have is the same.
  package static func == (left: HTTPRequest, right: HTTPRequest) -> Bool {
    left.bytes == right.bytes
  }
}
