import Testing
import Wire

@testable import Trace

/// Sessions of probes that are watched in several network namespaces.
@Suite struct SeveralPlacesTests {
  private static func header(_ name: String, _ path: String?) -> SessionHeader {
    var header = SessionHeader(
      command: "ping", version: "1", kernel: "6.18.0", netns: name,
      points: [ObservationPoint.ingress], table: "nftrace_1")
    header.netnsPath = path
    return header
  }

  private static var plan: ProbePlan {
    ProbePlan(
      source: IPAddress("10.0.0.1")!, destination: IPAddress("10.0.1.1")!, proto: .icmp,
      identifier: 7, count: 1, interval: 1, timeout: 1, ttl: 64, tos: 0, dontFragment: false,
      size: 56, nonce: 5, device: "tun0")
  }

  private static var both: SessionHeader {
    var first = header("web", "/run/netns/web")
    first.probe = plan
    first.others = [header("host", "/proc/1/ns/net")]
    return first
  }

  @Test func headersAreKept() throws {
    let again = try #require(SessionHeader(json: Self.both.json))
    #expect(again == Self.both)
    #expect(again.sites.map(\.name) == ["web", "host"])
    // Where a probe is a neighbour's packet, it has no entrance.
    #expect(again.places.map(\.probe?.entrance) == [.tun, .local])
    #expect(again.places.map(\.probe?.device) == ["tun0", nil])
    #expect(again.places.allSatisfy { $0.others.isEmpty })
    var alone = Self.both
    alone.others = []
    #expect(alone.sites.map(\.name) == [] && !alone.json.contains("others"))
  }

  /// Each record stays that of its namespace.
  @Test func recordsAreKept() throws {
    let message = NetlinkMessage(type: TraceMessage.type, payload: [])
    let records: [Record] = [0, 1].flatMap { place in
      [
        Record(time: 5, .log([1, 2, 3, 4]), at: place),
        Record(time: 6, .netlink(message), at: place),
        Record(time: 7, .lost(3), at: place),
        Record(time: 8, .note(.counters(["a": 1])), at: place),
        Record(time: 9, .received([0x45]), at: place),
      ]
    }
    func read(_ header: SessionHeader) throws -> [Record] {
      var decoder = SessionDecoder()
      decoder.feed(SessionFile.beginning(header))
      for record in records { decoder.feed(SessionFile.bytes(record)) }
      var read: [Record] = []
      while let element = try decoder.next() {
        if case .record(let record) = element { read.append(record) }
      }
      return read
    }
    #expect(try read(Self.both) == records)
  }

  @Test(arguments: [
    ("/run/netns/web", "ip netns exec web "), ("/var/run/netns/web", "ip netns exec web "),
    ("/proc/4711/ns/net", "nsenter -t 4711 -n "),
    ("/run/docker/netns/1f", "nsenter --net=/run/docker/netns/1f "), ("/run/netns/a b", nil),
    ("/tmp/$(x)", nil),
  ])
  func entering(path: String, command: String?) {
    #expect(Site(name: "x", path: path).entering?.text == command)
  }

  /// A remedy is for a shell of the machine: each part of it runs where it has to.
  @Test func remedies() {
    let there: Command = "ip netns exec web "
    let simple: Command = "nft 'add rule inet f c ip saddr 10.0.0.1 accept; x'"
    #expect(simple.run(through: there).text == "ip netns exec web \(simple.text)")
    let both: Command = "iptables -A X && iptables -A Y"
    #expect(
      both.run(through: there).text
        == "ip netns exec web iptables -A X && ip netns exec web iptables -A Y")
    let piped: Command = "nft list ruleset | grep 'a' > /tmp/x"
    #expect(
      piped.run(through: there).text
        == #"ip netns exec web sh -c 'nft list ruleset | grep '\''a'\'' > /tmp/x'"#)
  }

  @Test func findings() {
    var finding = Finding(
      id: .noReply, severity: .error, confidence: .certain, summary: "it broke")
    finding.remedy = "sysctl -w a=1"
    let told = finding.told(of: Site(name: "web", path: "/run/netns/web"))
    #expect(told.summary == "in netns web: it broke" && told.site?.name == "web")
    #expect(told.remedy?.text == "ip netns exec web sysctl -w a=1")
    // What cannot be entered from a shell has no remedy that could be pasted into one.
    #expect(finding.told(of: Site(name: "web", path: "/run/netns/a b")).remedy == nil)
  }
}
