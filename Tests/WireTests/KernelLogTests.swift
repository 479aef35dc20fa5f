import Testing
import Wire

/// Lines as Linux 6.1 wrote them, and some to the words of net/netfilter/nf_log_syslog.c.
enum LoggedLine {
  static let echo =
    "nat-PREROUTING: IN=c0 OUT= MAC=02:eb:2e:2e:bd:81:ea:04:b9:33:4a:3d:08:00 SRC=192.168.69.1 "
    + "DST=119.29.29.29 LEN=84 TOS=0x00 PREC=0x00 TTL=64 ID=28669 DF PROTO=ICMP TYPE=8 CODE=0 "
    + "ID=134 SEQ=1 MARK=0x2a "
  static let error =
    "OUTPUT: IN= OUT=c0 SRC=192.168.69.254 DST=192.168.69.1 LEN=112 TOS=0x00 PREC=0xC0 TTL=64 "
    + "ID=21469 PROTO=ICMP TYPE=11 CODE=0 [SRC=192.168.69.1 DST=119.29.29.29 LEN=84 TOS=0x00 "
    + "PREC=0x00 TTL=1 ID=28953 DF PROTO=ICMP TYPE=8 CODE=0 ID=135 SEQ=1 ] "
  static let errorAtEgress =
    "EGRESS: IN= OUT=c0 SRC=192.168.69.254 DST=192.168.69.1 LEN=112 TOS=0x00 PREC=0xC0 TTL=64 "
    + "ID=21469 PROTO=ICMP TYPE=11 CODE=0 "
  static let tooBig =
    "FORWARD: IN=c0 OUT=s0 MAC= SRC=10.0.0.1 DST=10.0.0.2 LEN=576 TOS=0x00 PREC=0xC0 TTL=63 ID=5 "
    + "PROTO=ICMP TYPE=3 CODE=4 [SRC=10.0.0.2 DST=10.0.0.1 LEN=1500 TOS=0x00 PREC=0x00 TTL=60 ID=6 "
    + "DF PROTO=TCP SPT=80 DPT=4000 WINDOW=501 RES=0x00 ACK PSH URGP=0 ] MTU=1280 "
  static let echo6 =
    "INGRESS: IN=c0 OUT= MAC=c2:61:99:c3:17:d8:52:17:79:c7:07:14:86:dd "
    + "SRC=fd00:0069:0000:0000:0000:0000:0000:0001 DST=2001:0db8:0029:0000:0000:0000:0000:0029 "
    + "LEN=1496 TC=3 HOPLIMIT=64 FLOWLBL=933575 FRAG:0 INCOMPLETE ID:57eb3ab8 PROTO=ICMPv6 "
    + "TYPE=128 CODE=0 ID=138 SEQ=1 "
  static let fragment =
    "INGRESS: IN=c0 OUT= MAC=c2:61:99:c3:17:d8:52:17:79:c7:07:14:08:00 SRC=192.168.69.1 "
    + "DST=119.29.29.29 LEN=548 TOS=0x00 PREC=0x00 TTL=64 ID=38974 FRAG:185 PROTO=ICMP "
  static let tcp =
    "filter-FORWARD: IN=br0 OUT=br0 PHYSIN=veth1 PHYSOUT=veth2 MACSRC=02:00:00:00:00:01 "
    + "MACDST=02:00:00:00:00:02 MACPROTO=0800 SRC=10.0.0.1 DST=10.0.0.2 LEN=60 TOS=0x02 PREC=0x00 "
    + "TTL=63 ID=0 DF OPT (94040000) PROTO=TCP SPT=4000 DPT=80 SEQ=4294967295 ACK=7 WINDOW=64240 "
    + "RES=0x00 AE CWR ECE ACK SYN URGP=0 OPT (020405B40402) UID=1000 GID=100 MARK=0xffffffff "
  static let udp =
    "PREROUTING: IN=tun0 OUT= MAC= SRC=10.0.0.1 DST=10.0.0.2 LEN=33 TOS=0x00 PREC=0x00 TTL=64 ID=1 "
    + "PROTO=UDP SPT=36932 DPT=53 LEN=13 "
  static let short =
    "PREROUTING: IN=tun0 OUT= MAC= SRC=10.0.0.1 DST=10.0.0.2 LEN=26 TOS=0x00 PREC=0x00 TTL=64 ID=1 "
    + "PROTO=UDP INCOMPLETE [6 bytes] MARK=0x1 "
  static let gre =
    "PREROUTING: IN=tun0 OUT= MAC= SRC=10.0.0.1 DST=10.0.0.2 LEN=40 TOS=0x00 PREC=0x00 TTL=64 ID=1 "
    + "PROTO=47 "

  static let all = [
    echo, error, errorAtEgress, tooBig, echo6, fragment, tcp, udp, short, gre,
  ]
}

@Suite struct LogLineTests {
  private func line(_ text: String) throws -> LogLine { try LogLine(Array(text.utf8)) }

  @Test func anEcho() throws {
    let line = try line(LoggedLine.echo)
    #expect(line.prefix == "nat-PREROUTING: ")
    #expect(line.inDevice == "c0" && line.outDevice == nil && line.mark == 42)
    let packet = line.packet
    #expect(packet.source == IPAddress("192.168.69.1") && packet.ttl == 64 && packet.length == 84)
    #expect(packet.identification == 28669 && packet.dontFragment && packet.fragment == nil)
    #expect(packet.icmp?.identifier == 134 && packet.icmp?.sequence == 1)
    #expect(packet.icmp?.isEchoRequest(packet.proto) == true)
  }

  @Test func anErrorAndWhatItQuotes() throws {
    let packet = try line(LoggedLine.error).packet
    #expect(packet.icmp?.type == 11 && packet.tos == 0xc0)
    let quoted = try #require(packet.quoted)
    #expect(quoted.source == packet.destination && quoted.ttl == 1)
    #expect(quoted.icmp?.identifier == 135)
    // The kernel looks into no error whose packet has its link header already.
    #expect(try line(LoggedLine.errorAtEgress).packet.quoted == nil)
    let tooBig = try line(LoggedLine.tooBig).packet
    #expect(tooBig.icmp?.mtu(.icmp) == 1280 && tooBig.quoted?.sourcePort == 80)
  }

  @Test func ipv6AndFragments() throws {
    let line = try line(LoggedLine.echo6)
    #expect(line.flowLabel == 933575 && line.packet.tos == 3)
    #expect(line.packet.source == IPAddress("fd00:69::1") && line.packet.length == 1496)
    #expect(
      line.packet.fragment == Packet.Fragment(identification: 0x57eb_3ab8, offset: 0, more: true))
    #expect(line.packet.icmp?.sequence == 1 && line.packet.identification == nil)
    let fragment = try self.line(LoggedLine.fragment).packet
    #expect(fragment.fragment?.offset == 1480 && fragment.transport == .absent)
    #expect(fragment.proto == .icmp)
  }

  @Test func tcpWithEverything() throws {
    let line = try line(LoggedLine.tcp)
    #expect(line.physicalInDevice == "veth1" && line.physicalOutDevice == "veth2")
    #expect(line.uid == 1000 && line.gid == 100 && line.mark == 0xffff_ffff && line.hasSequence)
    let header = try #require(line.packet.tcp)
    #expect(header.sourcePort == 4000 && header.sequence == .max && header.acknowledgment == 7)
    #expect(header.flags == TCPHeader.Flags(rawValue: 0b1101_0010) && header.window == 64240)
  }

  @Test func otherProtocols() throws {
    #expect(try line(LoggedLine.udp).packet.destinationPort == 53)
    let short = try line(LoggedLine.short)
    #expect(short.packet.transport == .absent && short.mark == 1)
    let gre = try line(LoggedLine.gre).packet
    #expect(gre.proto.rawValue == 47 && gre.transport == .other)
  }

  /// The reason says what is missing.
  @Test(arguments: [
    ("PREROUTING: IN=a OUT= SRC=10.0.0.1 DST=10.0.0.2 LEN=33 TOS=0x00 PREC=0x00 TT", "TTL"),
    ("PREROUTING: IN=a OUT= SRC=10.0.0.1 DST=10.0.0.", "DST"),
    ("PREROUTING: IN=a OUT= SRC=10.0.0.1 DST=::1 LEN=1", "TOS"),
    ("PREROUTING: IN=a OUT= MAC=", "SRC"),
    ("PREROUTING: SRC=10.0.0.1", "IN="),
    (String(LoggedLine.udp.dropLast(7)), "LEN"),
    (String(LoggedLine.error.dropLast(3)), "]"),
    (LoggedLine.udp + "[    1.0] " + LoggedLine.udp, "another line"),
  ]) func damage(text: String, word: String) {
    let error = #expect(throws: WireError.self) { try LogLine(Array(text.utf8)) }
    #expect(error?.reason.contains(word) == true, "\(String(describing: error))")
  }

  /// Any octets are read or refused, in time that grows with their number.
  @Test func anyOctets() {
    var numbers = SteadyNumbers(state: 7)
    for text in LoggedLine.all {
      let bytes = Array(text.utf8)
      #expect(throws: Never.self) { try LogLine(bytes) }
      for prefix in prefixes(bytes) { _ = try? LogLine(prefix) }
      for _ in 0..<2000 { _ = try? LogLine(bytes.mutated(by: &numbers)) }
    }
    let nested =
      "IN= OUT= " + String(repeating: String(LoggedLine.error.dropFirst(17)), count: 5000)
    _ = try? LogLine(Array(nested.utf8))
    let level =
      "[SRC=1.2.3.4 DST=1.2.3.4 LEN=84 TOS=0x00 PREC=0x00 TTL=1 ID=2 PROTO=ICMP TYPE=11 CODE=0 "
    let deep = "IN= OUT= " + String(repeating: level, count: 50000).dropFirst()
    _ = try? LogLine(Array(deep.utf8))
  }
}

@Suite struct KernelLogTextTests {
  private func entries(_ text: String, inPiecesOf count: Int = .max) -> [KernelLogEntry] {
    var reader = KernelLogText()
    var entries: [KernelLogEntry] = []
    let bytes = Array(text.utf8)
    for start in stride(from: 0, to: bytes.count, by: min(count, bytes.count)) {
      reader.feed(bytes[start..<min(bytes.count, start + min(count, bytes.count))])
      while let entry = reader.next() { entries.append(entry) }
    }
    reader.finish()
    while let entry = reader.next() { entries.append(entry) }
    return entries
  }

  private static let boot: UInt64 = 123_456_789_000
  private static let date: UInt64 = 1_795_230_000_000_000_000  // 2026-11-21 03:00:00 UTC

  /// Whatever stands around it, the message is the same, and so is the time, as far as it is told.
  @Test(arguments: [
    ("[  123.456789] ", boot, true), ("<4>[  123.456789] ", boot, true),
    ("kern  :warn  : [  123.456789] ", boot, true), ("[  123.456789][ T1234] ", boot, true),
    ("[  123.456789 <    0.000012>] ", boot, true),
    ("Nov 21 03:00:00 host kernel: [  123.456789] ", boot, true),
    ("2026-11-21T03:00:00.000001+00:00 host kernel: [  123.456789] ", boot, true),
    ("[  123.456789] host kernel: ", boot, true),
    ("6,1234,123456789,-;", boot, true), ("4,1234,123456789,-,caller=T1;", boot, true),
    ("[Sat Nov 21 03:00:00 2026] ", date, false),
    ("2026-11-21T03:00:00,000000+00:00 ", date, true),
    ("2026-11-21T05:00:00,000000+0200 ", date, true),
    ("2026-11-20T22:30:00-04:30 host kernel: ", date, false),
    ("Sat 2026-11-21 03:00:00 UTC host kernel: ", date, false),
    ("2026-11-21T03:00:00Z host kernel: ", date, false),
    ("1795230000.000000 host kernel: ", date, true),
    ("Nov 21 03:00:00 host kernel: ", 91_162_800_000_000_000, false),
    ("Nov 21 03:00:00.000005 host kernel: ", 91_162_800_000_005_000, true),
    ("[Nov21 03:00] ", nil, false), ("[  +0.000012] ", nil, false), ("", nil, false),
  ]) func surroundings(before: String, time: UInt64?, isExact: Bool) throws {
    let found = entries("a line\n\(before)\(LoggedLine.echo)\r\nanother\n")
    let entry = try #require(found.first)
    #expect(found.count == 1 && entry.line == 2)
    #expect(String(decoding: entry.text, as: UTF8.self) == LoggedLine.echo)
    #expect(entry.time == time && entry.isExact == isExact)
  }

  @Test func whatSomebodyElseWroteIsPartOfTheMessage() {
    for text in [
      "[UFW BLOCK] IN=eth0 OUT= SRC=1.2.3.4", "other: PREROUTING: IN=eth0 OUT=",
      "host kernel : PREROUTING: IN=eth0",
    ] {
      let found = entries("[    1.000000] \(text)\n")
      #expect(found.map { String(decoding: $0.text, as: UTF8.self) } == [text])
    }
  }

  @Test func journald() {
    let json =
      #"{"_TRANSPORT":"kernel","MESSAGE":"PREROUTING: IN=a\\b\u00e9 \"x\"","#
      + #""__REALTIME_TIMESTAMP":"1795230000000000","_SOURCE_MONOTONIC_TIMESTAMP":"123456789"}"#
    let user = #"{"_TRANSPORT":"stdout","MESSAGE":"PREROUTING: IN=a","__REALTIME_TIMESTAMP":"1"}"#
    let export = """
      __CURSOR=s=1
      __REALTIME_TIMESTAMP=1795230000000000
      MESSAGE=PREROUTING: IN=a OUT=
      _SOURCE_MONOTONIC_TIMESTAMP=123456789

      __CURSOR=s=2
      __REALTIME_TIMESTAMP=1795230000000000
      MESSAGE=PREROUTING: IN=b OUT=
      """
    #expect(
      entries(json + "\n" + user)
        == [
          KernelLogEntry(
            line: 1, time: Self.boot, isExact: true, text: Array("PREROUTING: IN=a\\bé \"x\"".utf8))
        ])
    let found = entries(export)
    #expect(found.map(\.time) == [Self.boot, Self.date] && found.map(\.line) == [3, 8])
  }

  @Test func escapesOfKmsg() {
    let found = entries("4,1,2,-;late\\x5c-PREROUTING: IN=\\xc3\\xa9 OUT=\n SUBSYSTEM=net\n")
    #expect(
      found.map { String(decoding: $0.text, as: UTF8.self) } == ["late\\-PREROUTING: IN=é OUT="])
  }

  @Test func piecesMakeNoDifference() {
    let text = LoggedLine.all.enumerated().map { "[    \($0).000001] \($1)\n" }.joined()
    let whole = entries(text)
    #expect(whole.count == LoggedLine.all.count)
    for count in [1, 2, 7, 100, 1000] { #expect(entries(text, inPiecesOf: count) == whole) }
  }

  /// What is no text does not fill the memory, and what follows it is read.
  @Test func noTextAtAll() {
    var reader = KernelLogText()
    for _ in 0..<100 {
      reader.feed([UInt8](repeating: 0, count: 1 << 16))
      #expect(reader.next() == nil)
    }
    reader.feed(Array("\n\(LoggedLine.udp)\n".utf8))
    #expect(reader.next()?.line == 2)
    var numbers = SteadyNumbers(state: 3)
    let text = Array("2026-11-21T03:00:00,1+00:00 h kernel: [ 1.2][T1] \(LoggedLine.echo)\n".utf8)
    for _ in 0..<5000 {
      var reader = KernelLogText()
      reader.feed(text.mutated(by: &numbers))
      reader.finish()
      while reader.next() != nil {}
    }
  }
}
