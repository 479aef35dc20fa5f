/// One netlink message as the kernel sent it, its header included.
///
/// They were recorded on Linux 6.18 from one socket with an NFLOG group (copy range 128 octets,
/// threshold 1, sequence numbers) and memberships of the conntrack, nf_tables and trace groups, in a
/// network namespace that forwards between a client (c0: 192.168.69.0/24, fd00:69::/64) and a server
/// (s0: 172.20.0.0/24, fd00:20::/64, behind it 198.51.100.10 and 2001:db8::10). The log rules are those
/// of the tables "seen"; the tables "t", "v", "nat" and "filter" decide and translate.
package struct Recording: Sendable, CustomStringConvertible {
  /// What was going on, and at which place: "IPv4 echo, raw-PREROUTING".
  package let name: String
  /// The whole message.
  package let bytes: [UInt8]

  /// The name.
  package var description: String { name }

  /// What follows the 16 octets of the netlink header.
  package var payload: [UInt8] { Array(bytes.dropFirst(16)) }

  /// The recordings in `text`: a line with a name, below it indented lines of hexadecimal octets.
  static func parse(_ text: String) -> [Recording] {
    var recordings: [Recording] = []
    for line in text.split(separator: "\n") {
      guard line.hasPrefix("  ") else {
        recordings.append(Recording(name: String(line), bytes: []))
        continue
      }
      let digits = Array(line.utf8.dropFirst(2)).map { UInt8($0 < 0x61 ? $0 - 0x30 : $0 - 0x57) }
      let octets = stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
      let last = recordings.removeLast()
      recordings.append(Recording(name: last.name, bytes: last.bytes + octets))
    }
    return recordings
  }
}

/// The recordings, in the order in which the kernel sent them.
package enum Recordings {
  /// All of them.
  package static let all = log + trace + conntrack + chains + rules
}

extension [Recording] {
  /// The recording of this name, which must be there.
  package subscript(_ name: String) -> Recording {
    guard let found = first(where: { $0.name == name }) else { fatalError("no recording \(name)") }
    return found
  }
}
