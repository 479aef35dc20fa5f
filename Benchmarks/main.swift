import Glibc
import Kernel
import Trace
import Wire

// What scripts/bench needs beside nftrace: synthetic traffic, in files and on the wire, and the inner loops.

/// A router's traffic: UDP packets that are forwarded and translated, seen at every hook, with their
/// trace and conntrack messages, at 100,000 events a second.
struct Traffic {
  let header: SessionHeader
  private let path: [ObservationPoint]
  private var time: UInt64 = 1_700_000_000_000_000_000
  private var sequence: UInt32 = 0

  init() {
    let points = ObservationPoint.plan(around: []) + [.ingress, .egress]
    header = SessionHeader(
      command: "record", version: "bench", kernel: "6.18", points: points, table: "nftrace_setup")
    let hooks: [Hook] = [.ingress, .prerouting, .forward, .postrouting, .egress]
    path = hooks.flatMap { hook in points.filter { $0.hook == hook } }
  }

  /// The octets of the next packets, each step of one beside the same step of the others.
  mutating func octets(packets numbers: Range<Int>) -> [UInt8] {
    var bytes: [UInt8] = []
    for point in path {
      for number in numbers {
        for record in see(number, at: point) { bytes += SessionFile.bytes(record) }
      }
    }
    return bytes
  }

  private mutating func see(_ number: Int, at point: ObservationPoint) -> [Record] {
    let isTranslated = point.hook == .egress || (point.hook == .postrouting && point.table == "nat")
    let isRouted = ![Hook.ingress, .prerouting].contains(point.hook)
    let packet = Packet(
      source: isTranslated
        ? .v4(0xac10_100f) : .v4(0x0a00_0000 | UInt32(truncatingIfNeeded: number / 256)),
      destination: .v4(0x771d_1d1d), proto: .udp, ttl: isRouted ? 63 : 64,
      identification: UInt16(truncatingIfNeeded: number),
      transport: .udp(UDPHeader(sourcePort: 1024 + UInt16(number % 50000), destinationPort: 53)),
      payload: Array("the same question \(number)".utf8) + [UInt8](repeating: 7, count: 100))
    let isEdge = point.hook == .ingress || point.hook == .egress
    let family = isEdge ? NFProto.netdev : NFProto.ipv4
    var records: [Record] = []
    func add(_ content: Record.Content) {
      time += 10_000
      records.append(Record(time: time, content))
    }
    add(
      .log(
        LogMessage(
          family: family, group: 61440,
          hookNumber: UInt8(point.hook.number(family: family)), prefix: point.label,
          inDevice: isRouted ? nil : 3, outDevice: isRouted ? 2 : nil, sequence: sequence,
          payload: packet.bytes
        ).bytes))
    sequence &+= 1
    let id = UInt32(truncatingIfNeeded: number % 97)
    var own = TraceMessage(
      family: isEdge ? family : NFProto.inet, id: id, kind: .rule, table: header.table,
      chain: point.chain, handle: 11, verdict: .accept)
    let octets = packet.bytes
    own.networkHeader = Array(octets[..<20])
    own.transportHeader = Array(octets[20..<28])
    if point.hook == .postrouting { own.conntrackID = UInt32(truncatingIfNeeded: number) }
    add(.netlink(NetlinkMessage(type: TraceMessage.type, payload: own.bytes)))
    if point.table == "filter" || point.table == "nat" {
      let step = TraceMessage(
        family: NFProto.ipv4, id: id, kind: .policy, table: point.table!,
        chain: point.hook.rawValue.uppercased(), verdict: .accept)
      add(.netlink(NetlinkMessage(type: TraceMessage.type, payload: step.bytes)))
    }
    return records
  }
}

func generate(_ file: String, packets: Int) throws {
  let output = try OutputFile(file)
  var traffic = Traffic()
  try output.write(SessionFile.beginning(traffic.header))
  for start in stride(from: 0, to: packets, by: 3) {
    try output.write(traffic.octets(packets: start..<min(start + 3, packets)))
  }
}

/// The log messages of the same traffic as another program would have captured them: pcap, NFLOG.
func capture(_ file: String, events: Int) throws {
  let output = try OutputFile(file)
  var header: [UInt8] = []
  for number: UInt32 in [0xa1b2_c3d4, 0x0004_0002, 0, 0, 65535, 239] {
    header.append(littleEndian: number)
  }
  try output.write(header)
  var traffic = Traffic()
  var left = events
  for start in stride(from: 0, to: events, by: 3) where left > 0 {
    var octets: [UInt8] = []
    var decoder = SessionDecoder()
    decoder.feed(
      SessionFile.beginning(traffic.header) + traffic.octets(packets: start..<(start + 3)))
    while let element = try decoder.next() {
      guard case .record(let record) = element, case .log(let payload) = record.content, left > 0
      else {
        continue
      }
      octets.append(littleEndian: UInt32(record.time / 1_000_000_000))
      octets.append(littleEndian: UInt32(record.time % 1_000_000_000 / 1000))
      octets.append(littleEndian: UInt32(payload.count))
      octets.append(littleEndian: UInt32(payload.count))
      octets += payload
      left -= 1
    }
    try output.write(octets)
  }
}

let words = CommandLine.arguments
switch words.count > 1 ? words[1] : "" {
case "generate" where words.count == 4: try generate(words[2], packets: Int(words[3]) ?? 0)
case "capture" where words.count == 4: try capture(words[2], events: Int(words[3]) ?? 0)
case "flood" where words.count >= 4:
  Flood.run(words[2], packets: Int(words[3]) ?? 0, rate: words.count > 4 ? Int(words[4]) : nil)
case "loops" where words.count >= 3:
  if words.count > 3, words[3] == "--record" {
    try OutputFile(words[2]).write(Array(InnerLoops().text().utf8))
  } else {
    let text = String(decoding: try InputFile(words[2]).read(), as: UTF8.self)
    if !InnerLoops().compare(with: text, times: !words.contains("--allocations")) { exit(1) }
  }
default:
  print(
    "usage: bench generate FILE PACKETS | capture FILE EVENTS | flood ADDRESS PACKETS [RATE] | loops FILE "
      + "[--record | --allocations]")
}
