/// The header that follows the IP header. What differs from one protocol to another is told apart here and
/// nowhere else.
package enum Transport: Sendable, Equatable {
  case icmp(ICMPHeader)
  case tcp(TCPHeader)
  case udp(UDPHeader)
  case sctp(SCTPHeader)
  /// A protocol this module does not look into.
  case other
  /// A fragment that is not the first, or cut off.
  case absent

  @_lifetime(reader: copy reader)
  init(parsing reader: inout ByteReader, proto: IPProtocol) {
    switch proto {
    case .icmp, .icmpv6:
      self = (try? ICMPHeader(parsing: &reader)).map { .icmp($0) } ?? .absent
    case .tcp: self = (try? TCPHeader(parsing: &reader)).map { .tcp($0) } ?? .absent
    case .udp: self = (try? UDPHeader(parsing: &reader)).map { .udp($0) } ?? .absent
    case .sctp: self = (try? SCTPHeader(parsing: &reader)).map { .sctp($0) } ?? .absent
    default: self = .other
    }
  }

  /// The ports of sender and receiver; nil where the protocol has none, or they are not there.
  package var ports: (source: UInt16, destination: UInt16)? {
    switch self {
    case .tcp(let header): (header.sourcePort, header.destinationPort)
    case .udp(let header): (header.sourcePort, header.destinationPort)
    case .sctp(let header): (header.sourcePort, header.destinationPort)
    case .icmp, .other, .absent: nil
    }
  }

  /// The header of an answer, which goes from the receiver's port to the sender's.
  package var turned: Transport {
    switch self {
    case .tcp(var header):
      swap(&header.sourcePort, &header.destinationPort)
      return .tcp(header)
    case .udp(let header):
      return .udp(
        UDPHeader(sourcePort: header.destinationPort, destinationPort: header.sourcePort))
    case .sctp(var header):
      swap(&header.sourcePort, &header.destinationPort)
      return .sctp(header)
    case .icmp, .other, .absent: return self
    }
  }

  /// What of the header of a packet neither routing nor NAT changes, as two numbers: it tells packets of
  /// a connection apart. An ICMP error has nothing of its own.
  package var numbers: (UInt64, UInt64) {
    switch self {
    case .icmp(let header):
      (UInt64(header.type) << 40 | UInt64(header.code) << 32 | UInt64(header.sequence), 0)
    case .tcp(let header):
      (
        UInt64(header.sequence) << 32 | UInt64(header.acknowledgment),
        UInt64(header.flags.rawValue) << 32
      )
    case .sctp(let header):
      (
        UInt64(header.verificationTag) << 32 | UInt64(header.initiateTag ?? 0),
        UInt64(header.chunk?.rawValue ?? 0) << 32
      )
    case .udp, .other, .absent: (0, 0)
    }
  }

  /// Whether it refuses the packet that it answers, as a reset does.
  package var isRefusal: Bool {
    switch self {
    case .tcp(let header): header.flags.contains(.rst)
    case .sctp(let header): header.chunk == .abort
    case .icmp, .udp, .other, .absent: false
    }
  }

  /// What people call such a packet: "TCP SYN"; nil where its protocol and the rest of it have to say.
  package var name: String? {
    switch self {
    case .tcp(let header): "TCP \(header.flags)"
    case .udp: "UDP"
    case .sctp(let header): "SCTP" + (header.chunk.map { " \($0)" } ?? "")
    case .icmp, .other, .absent: nil
    }
  }

  /// The header as it is on the wire, for a payload of so many octets, and how its checksum is made.
  func bytes(payload: Int) -> (header: [UInt8], checksum: Checksum) {
    var bytes: [UInt8] = []
    switch self {
    case .icmp(let header):
      bytes += [header.type, header.code, 0, 0]
      bytes.append(bigEndian: header.rest)
      return (bytes, .internet(at: 2))
    case .tcp(let header):
      bytes.append(bigEndian: header.sourcePort)
      bytes.append(bigEndian: header.destinationPort)
      bytes.append(bigEndian: header.sequence)
      bytes.append(bigEndian: header.acknowledgment)
      let options = header.options
      bytes += [UInt8(5 + options.count / 4) << 4, header.flags.rawValue]
      bytes.append(bigEndian: header.window)
      bytes += [0, 0, 0, 0] + options
      return (bytes, .internet(at: 16))
    case .udp(let header):
      bytes.append(bigEndian: header.sourcePort)
      bytes.append(bigEndian: header.destinationPort)
      bytes.append(bigEndian: UInt16(truncatingIfNeeded: 8 + payload))
      bytes += [0, 0]
      return (bytes, .internet(at: 6))
    case .sctp(let header): return (header.bytes, .crc32c(at: 8))
    case .other, .absent: return ([], .none)
    }
  }

  /// What guards header and payload.
  enum Checksum {
    case none
    /// RFC 1071's, at this octet; over a pseudo header as well, but for ICMP of IPv4.
    case internet(at: Int)
    /// CRC-32C, least octet first, at this octet.
    case crc32c(at: Int)
  }
}
