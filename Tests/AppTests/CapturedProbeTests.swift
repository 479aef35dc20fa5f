import App
import FoundationEssentials
import Testing
import Wire

/// Packets are read from captures of every kind, and what cannot be sent is refused in words.
struct CapturedProbeTests {
  private static let echo = Packet(
    source: .v4(0x0a00_0001), destination: .v4(0x0a00_0002), proto: .icmp, identification: 1,
    transport: .icmp(ICMPHeader(type: 8, rest: 0x0001_0001)), payload: Array("abcdefgh".utf8))
  private static let datagram = Packet(
    source: IPAddress("fd00::1")!, destination: IPAddress("fd00::2")!, proto: .udp,
    dontFragment: true, transport: .udp(UDPHeader(sourcePort: 5, destinationPort: 53)),
    payload: [1])

  /// Runs `body` with the name of a file that has these octets.
  private func withFile(_ bytes: [UInt8], _ body: (String) throws -> Void) throws {
    let url = FileManager.default.temporaryDirectory.appending(
      path: "nftrace-captured-\(UInt64.random(in: 0 ... .max)):1.pcap")
    try Data(bytes).write(to: url)
    defer { try? FileManager.default.removeItem(at: url) }
    let path = url.path
    try body(path)
  }

  private static func pcap(_ link: LinkType, _ frames: [[UInt8]], cut: Int = 0) -> [UInt8] {
    PcapFile.header(linkType: link)
      + frames.flatMap {
        PcapFile.record(
          CapturedPacket(
            interface: 0, time: 1, data: Array($0.dropLast(cut)), originalLength: $0.count))
      }
  }

  private static func ethernet(_ packet: [UInt8], tags: Int = 0, type: UInt16 = 0x0800) -> [UInt8] {
    var frame = [UInt8](repeating: 2, count: 12)
    for _ in 0..<tags { frame += [0x81, 0, 0, 5] }
    frame.append(bigEndian: type)
    return frame + packet
  }

  @Test func everyKindOfLink() throws {
    let (v4, v6) = (Self.echo.bytes, Self.datagram.bytes)
    let zeros = [UInt8](repeating: 0, count: 18)
    let captures: [(LinkType, [[UInt8]])] = [
      (.raw, [v4, v6]), (.null, [[2, 0, 0, 0] + v4, [10, 0, 0, 0] + v6]),
      // An Ethernet frame is filled up to 60 octets; others come before.
      (.ethernet, [Self.ethernet(v4 + zeros), Self.ethernet(v6, tags: 2, type: 0x86dd)]),
      (.linuxCooked, [zeros.prefix(14) + [8, 0] + v4, zeros.prefix(14) + [0x86, 0xdd] + v6]),
      (.linuxCooked2, [[8, 0] + zeros + v4, [0x86, 0xdd] + zeros + v6]),
    ]
    for (link, frames) in captures {
      try withFile(Self.pcap(link, frames)) { path in
        #expect(try CapturedProbe(path).octets == v4, "\(link)")
        #expect(try CapturedProbe(path + ":1").octets == v4)
        let second = try CapturedProbe(path + ":2")
        #expect(second.octets == v6, "\(link)")
        #expect(second.packet.destinationPort == 53)
      }
    }
  }

  /// The first of IP is meant where no number is given; with one, all packets count.
  @Test func othersBefore() throws {
    let frames = [
      Self.ethernet(Array(repeating: 0, count: 46), type: 0x0806), Self.ethernet(Self.echo.bytes),
    ]
    try withFile(Self.pcap(.ethernet, frames)) { path in
      let (first, second) = (try CapturedProbe(path), try CapturedProbe(path + ":2"))
      #expect(first.octets == Self.echo.bytes && second.octets == Self.echo.bytes)
      expect(path + ":1", "packet 1 is no IP packet")
    }
  }

  @Test func whatCannotBeSent() throws {
    var fragment = Self.echo
    fragment.fragment = Packet.Fragment(identification: 1, offset: 0, more: true)
    var later = fragment
    later.fragment?.offset = 8
    var error = Self.echo
    error.transport = .icmp(ICMPHeader(type: 3, code: 3))
    error.payload = Self.echo.bytes
    let bare = Packet(
      source: Self.echo.source, destination: Self.echo.destination,
      proto: IPProtocol(rawValue: 47), transport: .other, payload: [1, 2])
    let frames = [fragment, later, error, bare].map(\.bytes)
    try withFile(Self.pcap(.raw, frames)) { path in
      expect(path, "packet 1 is a fragment: choose one that is whole")
      expect(path + ":2", "packet 2 is a fragment")
      expect(path + ":3", "packet 3 is an ICMP error")
      expect(path + ":4", "packet 4 carries nothing by which it could be known")
      expect(path + ":5", "there are 4 packets in it, and no number 5")
      expect(path + ":0", "packets are counted from 1")
    }
    try withFile(Self.pcap(.raw, [Self.echo.bytes], cut: 3)) { path in
      expect(path, "packet 1 was not captured whole: 33 of its 36 octets are there")
    }
    try withFile(Self.pcap(.raw, [])) { expect($0, "there is no IP packet in it") }
    try withFile([]) { expect($0, "the file is empty") }
    try withFile(Array("some text, and no capture".utf8)) { expect($0, "neither a pcapng nor") }
    expect("/no/such/file:3", "cannot read /no/such/file")
    expect("/tmp", "Is a directory")
  }

  /// What is there of a file that ends too early can be sent.
  @Test func aFileThatIsCutOff() throws {
    let whole = Self.pcap(.raw, [Self.echo.bytes, Self.echo.bytes])
    try withFile(Array(whole.dropLast(5))) { path in
      let first = try CapturedProbe(path + ":1")
      #expect(first.octets == Self.echo.bytes)
      expect(path + ":2", "there is 1 packet in it, and no number 2")
    }
  }

  private func expect(_ text: String, _ message: String) {
    do {
      let probe = try CapturedProbe(text)
      Issue.record("\(text) is \(probe)")
    } catch {
      let words = (error as? UsageError)?.message ?? "\(error)"
      #expect(words.contains(message), "\(text): \(words)")
    }
  }
}
