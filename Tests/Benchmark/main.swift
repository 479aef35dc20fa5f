import Kernel
import Trace
import Wire

// How many events a second the story of recorded traffic is told from, and in how much memory:
// scripts/bench makes a session of synthetic traffic and has it told.

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

func measure(_ file: String, telling: Bool) throws {
  let input = try InputFile(file)
  var decoder = SessionDecoder()
  var story = Story(header: nil)
  var (events, octets, journeys) = (0, 0, 0)
  let start = Clock.monotonic
  while true {
    let bytes = try input.read()
    if bytes.isEmpty { break }
    octets += bytes.count
    decoder.feed(bytes)
    while let element = try decoder.next() {
      switch element {
      case .header(let header): story = Story(header: header)
      case .record(let record):
        events += 1
        guard telling else { continue }
        story.take(record)
        journeys += story.closeIdle().reduce(0) { $0 + $1.journeys.count }
      }
    }
  }
  if telling { journeys += story.finish().reduce(0) { $0 + $1.journeys.count } }
  let seconds = Double(Clock.monotonic - start) / 1e9
  let peak = (try? InputFile("/proc/self/status").read()).flatMap { status in
    String(decoding: status, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("VmHWM") }
  }
  print(
    telling ? "decoded and told:" : "decoded:", events, "events,", journeys, "packets,",
    Int(Double(events) / seconds), "events/s,", Int(Double(octets) / seconds / 1e6), "MB/s,",
    peak.map { String($0.dropFirst(6)).filter { !" \t".contains($0) } } ?? "", "at most")
}

let words = CommandLine.arguments
switch words.count > 2 ? words[1] : "" {
case "generate": try generate(words[2], packets: Int(words[3]) ?? 0)
case "decode": try measure(words[2], telling: false)
case "story": try measure(words[2], telling: true)
default: print("usage: bench generate FILE PACKETS | bench decode FILE | bench story FILE")
}
