/// Where HTTP is spoken: what an `http` URL says, RFC 9110, section 4.2.1.
package struct HTTPAddress: Sendable, Equatable {
  /// A name or an address, without brackets.
  package var host: String
  /// The TCP port.
  package var port: UInt16
  /// The path, with its first slash, and a query if there is one.
  package var path: String

  /// An address of these parts.
  package init(host: String, port: UInt16, path: String) {
    self.host = host
    self.port = port
    self.path = path
  }

  /// What is wrong with a URL.
  package enum Fault: Error, Equatable {
    /// It is HTTP over TLS.
    case encrypted
    /// It names another protocol, or none.
    case notHTTP
    /// It is none.
    case malformed
  }

  /// Reads a URL. A fragment is left out; a name and a password in it are none that HTTP takes.
  package init(url: String) throws(Fault) {
    let scheme = url.prefix { $0 != ":" }
    let afterScheme = url[scheme.endIndex...]
    guard afterScheme.hasPrefix("://") else { throw .notHTTP }
    switch scheme.lowercased() {
    case "http": break
    case "https": throw .encrypted
    default: throw .notHTTP
    }
    let rest = afterScheme.dropFirst(3).prefix { $0 != "#" }
    let authority = rest.prefix { $0 != "/" && $0 != "?" }
    let path = rest[authority.endIndex...]
    guard
      url.utf8.allSatisfy({ (0x21...0x7e).contains($0) }), !authority.contains("@")
    else { throw .malformed }
    self.path = path.hasPrefix("/") ? String(path) : "/" + path
    let port: Substring
    if authority.hasPrefix("[") {
      guard let end = authority.firstIndex(of: "]") else { throw .malformed }
      host = String(authority[authority.index(after: authority.startIndex)..<end])
      port = authority[authority.index(after: end)...]
      guard host.contains(":") else { throw .malformed }
    } else {
      host = String(authority.prefix { $0 != ":" })
      port = authority.drop { $0 != ":" }
    }
    guard !host.isEmpty, port.isEmpty || port.hasPrefix(":") else { throw .malformed }
    if port.count <= 1 {
      self.port = 80
    } else if let number = UInt16(port.dropFirst()), number > 0 {
      self.port = number
    } else {
      throw .malformed
    }
  }

  /// The host and port, as the header `Host` has them.
  package var authority: String {
    (host.contains(":") ? "[\(host)]" : host) + (port == 80 ? "" : ":\(port)")
  }

  /// It as a URL.
  package var url: String { "http://\(authority)\(path)" }
}
