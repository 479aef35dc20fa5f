/// A TCP connection by its ends, whichever of them sends.
package struct TCPConversation: Sendable, Hashable, CustomStringConvertible {
  /// Who began it.
  package let client: IPAddress
  /// Its port.
  package let clientPort: UInt16
  /// Whom it asked.
  package let server: IPAddress
  /// The port that was asked.
  package let serverPort: UInt16

  /// What sshd(8) says in SSH_CONNECTION: the client's address and port, and the server's, with spaces between; nil if
  /// it is none.
  package init?(_ text: String) {
    let words = text.split(separator: " ")
    // Of a link-local address, the interface stands behind it.
    guard words.count == 4, let client = IPAddress(words[0].prefix { $0 != "%" }),
      let clientPort = UInt16(words[1]), let server = IPAddress(words[2].prefix { $0 != "%" }),
      let serverPort = UInt16(words[3]), client.family == server.family
    else { return nil }
    self.client = client
    self.clientPort = clientPort
    self.server = server
    self.serverPort = serverPort
  }

  /// As sshd(8) has it.
  package var description: String { "\(client) \(clientPort) \(server) \(serverPort)" }

  /// Both ways: the addresses of a packet's sender and receiver as they follow each other in its header, and so the
  /// ports.
  package var ways: [(addresses: [UInt8], ports: [UInt8])] {
    func octets(_ port: UInt16) -> [UInt8] { [UInt8(port >> 8), UInt8(truncatingIfNeeded: port)] }
    return [
      (client.bytes + server.bytes, octets(clientPort) + octets(serverPort)),
      (server.bytes + client.bytes, octets(serverPort) + octets(clientPort)),
    ]
  }
}
