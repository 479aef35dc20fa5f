/// What routers on the way have written into a packet: the pre-allocated trace of in-situ OAM (RFC 9197 section 4.4), as
/// IPv6 carries it, an option for each hop (RFC 9486).
///
///     |  Next Header  |  Header Length |  PadN         |  0            |
///     |  Option 0x31  |  Data Length   |  0            |  Type 0       |
///     |  Namespace-ID                  | NodeLen |Flags|  RemainingLen |
///     |  Trace Type, 24 bits                           |  0            |
///     |  room for nodes; the one that the packet came to last stands first  |
package struct IOAMTrace: Sendable, Equatable {
  /// The namespace of IOAM whose nodes write: 0 is the one that all have to know, once they know any.
  package var namespace: UInt16
  /// The nodes that wrote something, in the order in which the packet came to them.
  package var nodes: [Node]
  /// Whether a node found no room.
  package var isFull: Bool

  /// What a node writes: the fields 0 to 3 of the trace type.
  package struct Node: Sendable, Hashable {
    /// The hop limit with which the packet leaves it.
    package var hopLimit: UInt8
    /// Its number, 24 bits; nil where nobody gave it one.
    package var id: UInt32?
    /// Numbers of the interfaces by which the packet came and goes, `ioam6_id` in Linux; nil where they have none, and for
    /// the last where the packet is for the node.
    package var input: UInt16?
    /// See `input`.
    package var output: UInt16?
    /// When that was by its clock, nanoseconds since the epoch, in steps of 1000; nil where it does not say.
    package var time: UInt64?

    /// What a node of these fields has written.
    package init(hopLimit: UInt8, id: UInt32?, input: UInt16?, output: UInt16?, time: UInt64?) {
      self.hopLimit = hopLimit
      self.id = id
      self.input = input
      self.output = output
      self.time = time
    }
  }

  /// How many nodes there is room for in what nftrace sends. With more, what an ICMP error quotes of the packet would be
  /// further into it than rules can look (255 octets).
  package static let room = 9
  /// Octets of a header before the first node's, and of what a node writes.
  private static let lead = 16
  static let nodeOctets = 16
  /// Hop limit and node, interfaces, seconds, and their fraction: bits 0 to 3.
  private static let fields: UInt32 = 0xf000_0000
  /// The type of the option: who does not know it goes on, and it may change on the way (RFC 9486 section 3).
  private static let option: UInt8 = 0x31
  /// The next header number of a hop-by-hop header.
  private static let hopByHop: UInt8 = 0

  /// A hop-by-hop header in which so many routers of this namespace find room, before the header of this number.
  package static func header(before next: UInt8, namespace: UInt16, room: Int = room) -> [UInt8] {
    let data = room * nodeOctets
    let count = UInt8((lead + data) / 8 - 1)
    var octets = [next, count, 1, 0, option, UInt8(2 + 8 + data), 0, 0]
    octets.append(bigEndian: namespace)
    octets.append(bigEndian: UInt16(nodeOctets / 4) << 11 | UInt16(data / 4))
    octets.append(bigEndian: fields)
    return octets + [UInt8](repeating: 0, count: data)
  }

  /// The trace in a hop-by-hop header, with which these octets begin; nil where there is none with these fields.
  package init?(_ octets: [UInt8]) {
    guard octets.count >= 8 else { return nil }
    let end = min((Int(octets[1]) + 1) * 8, octets.count)
    var place = 2
    while place < end {
      // Pad1 has no length: RFC 8200 section 4.2.
      if octets[place] == 0 {
        place += 1
        continue
      }
      guard place + 2 <= end else { return nil }
      let next = place + 2 + Int(octets[place + 1])
      guard next <= end else { return nil }
      if octets[place] == Self.option {
        self.init(option: octets[(place + 2)..<next])
        return
      }
      place = next
    }
    return nil
  }

  private init?(option: ArraySlice<UInt8>) {
    let octets = Array(option)
    guard octets.count >= 10, octets[1] == 0 else { return nil }
    let sizes: UInt16 = octets.number(at: 4)
    let kind: UInt32 = octets.number(at: 6)
    // The last octet of it is none of the type.
    guard kind & ~0xff == Self.fields, Int(sizes >> 11) * 4 == Self.nodeOctets else { return nil }
    namespace = octets.number(at: 2)
    isFull = sizes & 0x0400 != 0
    let first = 10 + Int(sizes & 0x7f) * 4
    nodes = stride(from: first, to: octets.count - Self.nodeOctets + 1, by: Self.nodeOctets).map {
      Node(octets, at: $0)
    }.reversed()
  }
}

extension IOAMTrace.Node {
  /// What stands here; a field of ones alone is one that the node does not have (RFC 9197 section 4.4.2).
  fileprivate init(_ octets: [UInt8], at place: Int) {
    let node: UInt32 = octets.number(at: place)
    let (from, to): (UInt16, UInt16) = (octets.number(at: place + 4), octets.number(at: place + 6))
    let (seconds, fraction): (UInt32, UInt32) = (
      octets.number(at: place + 8), octets.number(at: place + 12)
    )
    hopLimit = UInt8(node >> 24)
    id = node & 0xff_ffff == 0xff_ffff ? nil : node & 0xff_ffff
    input = from == .max ? nil : from
    output = to == .max ? nil : to
    // Linux and others that follow POSIX write microseconds; the standard lets a node choose (section 5).
    time =
      seconds == .max || fraction >= 1_000_000
      ? nil : UInt64(seconds) * 1_000_000_000 + UInt64(fraction) * 1000
  }
}

/// A header for the destination that it does not understand, so that it sends the packet back in an ICMPv6 error (RFC 8200
/// section 4.2, RFC 4443 section 3.4): with all that routers have written into it.
package enum UnknownOption {
  /// Of options that are kept for experiments (RFC 4727 section 3.4), one that is to be refused, but by no group.
  private static let option: UInt8 = 0xde
  /// The next header number of such a header.
  package static let headerNumber: UInt8 = 60
  /// The header, before the one of this number: as long as what a router writes, whose room it takes.
  package static func header(before next: UInt8) -> [UInt8] {
    let data = IOAMTrace.nodeOctets - 4
    return [next, UInt8(IOAMTrace.nodeOctets / 8 - 1), option, UInt8(data)]
      + [UInt8](repeating: 0, count: data)
  }
}

extension Packet {
  /// What routers have written into it, or into the packet that it quotes; nil where that has no room for it.
  package var ioam: IOAMTrace? {
    let packet = quoted ?? self
    return packet.source.family == 6 ? IOAMTrace(packet.options) : nil
  }
}
