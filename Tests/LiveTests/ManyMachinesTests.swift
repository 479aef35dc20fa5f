import FoundationEssentials
import Glibc
import Testing

extension LiveTests {
  /// One packet over several machines: `ping --via`, and sessions of several machines shown as one.
  @Suite(
    .timeLimit(.minutes(6)),
    .enabled(if: MachineNet.canBe, "needs sshd: scripts/install-dependencies test"))
  struct ManyMachinesTests {
    struct Report: Decodable {
      var hosts: [String]?
      var target: Target
      var probes: [Probe]?
      var journeys: [Journey]?
      var clocks: [Clock]?
      var findings: [Finding]

      struct Target: Decodable {
        var traceparent: String?
      }
      struct Probe: Decodable {
        var outcome: String
        var journeys: [Journey]
      }
      struct Clock: Decodable {
        var host: String
        var ahead_ns: Int
        var bound_ns: Int
      }
      struct Journey: Decodable {
        var host: String?
        var direction: String
        var hops: [Hop]
      }
      struct Hop: Decodable {
        var rules: [Rule]
      }
      struct Rule: Decodable {
        var rule: String?
      }
      struct Finding: Decodable {
        var id: String
        var host: String?
        var summary: String
        var remedy: String?
      }
    }

    private func report(_ outcome: Outcome, code: Int32) throws -> Report {
      #expect(outcome.code == code, "\(outcome)")
      return try JSONDecoder().decode(Report.self, from: Data(outcome.output.utf8))
    }

    private static let way = ["c", "a", "b", "s", "s", "b", "a", "c"]

    @Test(arguments: [[], ["-p", "udp"], ["-p", "tcp", "--dport", "22"]])
    func aProbeIsOneWalk(_ words: [String]) async throws {
      let net = try await MachineNet()
      let isRefused = words.contains("udp")
      let report = try report(
        try await net.ping(words + MachineNet.via + ["--json"]), code: isRefused ? 1 : 0)
      #expect(report.hosts == ["c", "a", "b", "s"])
      let probe = try #require(report.probes?.first)
      #expect(probe.journeys.map(\.host) == Self.way)
      // Each says which of its rules translated.
      for (host, rule) in [("a", "a-nat"), ("b", "b-nat")] {
        let rules = probe.journeys.filter { $0.host == host }.flatMap(\.hops).flatMap(\.rules)
        #expect(rules.contains { $0.rule?.contains(rule) == true }, "\(host): \(rules)")
      }
      // They are one machine in truth.
      let clocks = try #require(report.clocks)
      #expect(clocks.map(\.host) == ["a", "b", "s"])
      #expect(clocks.allSatisfy { abs($0.ahead_ns) <= $0.bound_ns }, "\(clocks)")
      #expect(report.findings.map(\.host) == (isRefused ? ["s"] : []))
      #expect(try await net.leftovers() == "")
    }

    /// The finding is of the machine that dropped it, and so is what helps, from where it was asked.
    @Test func aRuleOnTheWay() async throws {
      let net = try await MachineNet()
      try await net.run(
        "ip netns exec ${B}b nft 'table inet fw { chain f { type filter hook forward priority 0; meta l4proto icmp drop; }; }'"
      )
      let lost = try report(try await net.ping(MachineNet.via + ["--json"]), code: 1)
      let finding = try #require(lost.findings.first)
      #expect(finding.host == "b" && finding.summary.hasPrefix("on b: "))
      #expect(["rule-drop", "dnat-then-filtered"].contains(finding.id))
      let remedy = try #require(finding.remedy)
      #expect(remedy.hasPrefix("ssh root@10.80.2.2 'nft "), "\(remedy)")
      try await net.run("ip netns exec ${B}c sh -c \"$(cat <<'END'\n\(remedy)\nEND\n)\"")
      #expect(try report(try await net.ping(MachineNet.via + ["--json"]), code: 0).findings.isEmpty)
    }

    @Test func theSameText() async throws {
      let net = try await MachineNet()
      let file = "\(net.directory)/walk.pcapng"
      let live = try await net.ping(MachineNet.via + ["-c", "2", "-i", "0.1", "-w", file])
      #expect(live.code == 0 && live.error == "", "\(live)")
      let shown = try await Programs.nftrace(["show", file])
      #expect(
        shown.output == live.output && shown.error.hasPrefix("nftrace: this is a ping, sent "))
    }

    /// Sessions that were recorded on their own, whatever clocks they have: the order is the same, and how far each clock is
    /// off is found out.
    @Test func sessionsAreShownAsOne() async throws {
      let net = try await MachineNet()
      try await net.recording {
        let ping = try await net.ping(["-c", "2", "-i", "0.1", "-w", "$D/c.pcapng"])
        #expect(ping.code == 0, "\(ping)")
      }
      func shown(_ b: String) async throws -> (text: String, report: Report) {
        let files = ["c", b, "a", "s"].map { "\(net.directory)/\($0).pcapng" }
        let text = try await Programs.nftrace(["show"] + files)
        let json = try await Programs.nftrace(["show", "--json"] + files)
        #expect(text.code == 0 && text.error == "", "\(text)")
        return (text.output, try report(json, code: 0))
      }
      func withoutClocks(_ text: String) -> [Substring] {
        text.split(separator: "\n").prefix { !$0.hasPrefix("clocks against") }
      }
      let plain = try await shown("b")
      #expect(plain.report.journeys?.prefix(8).map(\.host) == Self.way)
      let file = "\(net.directory)/b.pcapng"
      let octets = Array(try Data(contentsOf: URL(filePath: file)))
      for shift in [3, -3, 3600, -3600] {
        try Data(Self.shifted(octets, by: shift)).write(
          to: URL(filePath: "\(net.directory)/moved.pcapng"))
        let moved = try await shown("moved")
        #expect(withoutClocks(moved.text) == withoutClocks(plain.text), "by \(shift) s")
        let clock = try #require(moved.report.clocks?.first { $0.host == "b" })
        #expect(abs(clock.ahead_ns - shift * 1_000_000_000) <= clock.bound_ns, "\(clock)")
      }
      // The same session twice is told once; one of others is not taken for theirs.
      let twice = try await Programs.nftrace(
        ["show"] + ["c", "a", "a"].map { "\(net.directory)/\($0).pcapng" })
      #expect(twice.error.contains("the same session"), "\(twice.error)")
      _ = try await net.ping(["-w", "$D/other.pcapng"], to: "127.0.0.1")
      let other = try await Programs.nftrace(
        ["show", "\(net.directory)/a.pcapng", "\(net.directory)/other.pcapng"])
      #expect(other.error.contains("has no packet in common"), "\(other.error)")
    }

    /// The times of all packets in a session, later by so many seconds.
    private static func shifted(_ octets: [UInt8], by seconds: Int) -> [UInt8] {
      func word(_ place: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(octets[place + $1]) << UInt32(8 * $1) }
      }
      var result = octets
      var place = 0
      while place + 12 <= octets.count {
        if [5, 6].contains(word(place)) {
          let time = UInt64(word(place + 12)) << 32 | UInt64(word(place + 16))
          let moved = UInt64(Int64(time) + Int64(seconds) * 1_000_000_000)
          for octet in 0..<4 {
            result[place + 12 + octet] = UInt8(truncatingIfNeeded: moved >> UInt64(32 + 8 * octet))
            result[place + 16 + octet] = UInt8(truncatingIfNeeded: moved >> UInt64(8 * octet))
          }
        }
        place += Int(word(place + 4))
      }
      return result
    }

    /// Who is not there, or goes in the middle, is said to be missing, and nothing is left anywhere.
    @Test func machinesThatAreMissing() async throws {
      let net = try await MachineNet()
      let absent = try report(
        try await net.ping(
          [
            "--via", "root@10.80.1.1", "--via", "root@10.80.3.77", "--via", "nobody@10.80.2.2",
            "--json",
          ]),
        code: 0)
      #expect(absent.hosts == ["c", "a"])
      #expect(absent.findings.map(\.id) == ["machine-missing", "machine-missing"])
      try await net.run(
        "(sleep 2; kill $(ps -o pid= --ppid $(cat $D/b.pid)); kill $(cat $D/b.pid)) >/dev/null 2>&1 &"
      )
      let gone = try await net.ping(MachineNet.via + ["-c", "8", "-i", "0.5", "--json"])
      let report = try report(gone, code: 0)
      let finding = try #require(report.findings.first { $0.id == "machine-missing" })
      #expect(finding.summary.hasPrefix("root@10.80.2.2 is missing: the connection ended"))
      #expect(report.probes?.allSatisfy { $0.outcome == "replied" } == true)
      #expect(report.probes?.first?.journeys.map(\.host) == Self.way)
      #expect(
        try await Programs.eventually(within: .seconds(5)) { try await net.leftovers() == "" })
    }

    /// The trace that a program is in goes with the packet, past every translation.
    @Test func theTraceOfTheCaller() async throws {
      let net = try await MachineNet()
      let trace = "0af7651916cd43dd8448eb211c80319c"
      try await net.run(
        """
        for n in a b s; do
          ip netns exec $B$n nft 'table inet cnt { chain pre { type filter hook prerouting priority -310;
            @th,64,24 0x30302d @th,88,128 0x30616637363531393136636434336464 counter; }; }'
        done
        """)
      let outcome = try await net.ping(
        MachineNet.via + ["--traceparent", "00-\(trace)-b7ad6b7169203331-01", "--json"])
      let report = try report(outcome, code: 0)
      #expect(report.target.traceparent?.hasPrefix("00-\(trace)-") == true)
      for (name, packets) in [("a", 2), ("b", 2), ("s", 1)] {
        let listed = try await net.run("ip netns exec ${B}\(name) nft list chain inet cnt pre")
        #expect(listed.contains("counter packets \(packets) "), "\(listed)")
      }
    }

    /// Without nftrace there it is brought, and gone afterwards. An inventory says who the machines are.
    @Test func broughtToAnInventory() async throws {
      let net = try await MachineNet()
      try await net.run(
        """
        rm $D/bin/nftrace
        printf '%s\\n' '[routers]' 'a ansible_host=10.80.1.1' 'b ansible_host=10.80.2.2' '[routers:vars]' \\
          'ansible_user=root' '[servers]' 's ansible_host=10.80.3.10' >$D/hosts
        """)
      let bare = try report(try await net.ping(["--via", "@$D/hosts:routers", "--json"]), code: 0)
      #expect(bare.findings.allSatisfy { $0.summary.contains("nftrace is not there") })
      let before = try await net.run("ls -d /tmp/tmp.* 2>/dev/null | wc -l")
      let report = try report(
        try await net.ping(["--via", "@$D/hosts:routers", "--bring", "--json"]), code: 0)
      #expect(report.hosts == ["c", "a", "b"] && report.findings.isEmpty)
      #expect(try await net.run("ls -d /tmp/tmp.* 2>/dev/null | wc -l") == before)
      let unknown = try await net.ping(["--via", "@$D/hosts:router"])
      #expect(unknown.code == 2 && unknown.error.contains("did you mean 'routers'?"), "\(unknown)")
    }
  }
}
