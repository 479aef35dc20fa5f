import FoundationEssentials
import Glibc
import Testing

extension LiveTests {
  /// What is told of several machines beside the walk: recordings alone, flows, resources of OpenTelemetry, inventories.
  @Suite(
    .timeLimit(.minutes(5)),
    .enabled(if: MachineNet.canBe, "needs sshd: scripts/install-dependencies test"))
  struct MachineReportTests {
    struct Shown: Decodable {
      var clocks: [Clock]?
      var flows: [Flow]?
      var findings: [Finding]

      struct Clock: Decodable {
        var host: String
        var ahead_ns: Int
        var bound_ns: Int
      }
      struct Flow: Decodable {
        var destination: String
        var places: [String]
        var lost: Int
        var ends: [End]
      }
      struct End: Decodable { var end: String }
      struct Finding: Decodable {
        var id: String
        var host: String?
        var remedy: String?
      }
    }

    private func shown(_ words: [String], _ net: MachineNet, code: Int32 = 0) async throws -> (
      report: Shown, error: String
    ) {
      let outcome = try await Programs.nftrace(["show", "--json"] + words)
      #expect(outcome.code == code, "\(outcome)")
      return (
        try JSONDecoder().decode(Shown.self, from: Data(outcome.output.utf8)), outcome.error
      )
    }

    /// Recordings alone say how their clocks differ, on which machine a flow was lost, and what helps there.
    @Test func recordingsAlone() async throws {
      let net = try await MachineNet()
      try await net.run(
        "ip netns exec ${B}b nft 'table inet fw { chain f { type filter hook forward priority 0; udp dport 39007 drop; }; }'"
      )
      try await net.recording(
        """
        ip netns exec ${B}c ping -c 3 -i 0.1 -n 10.80.9.9 >/dev/null
        ip netns exec ${B}c bash -c 'echo x >/dev/udp/10.80.9.9/39007' 
        cp $D/a.pcapng $D/early.pcapng
        ip netns exec ${B}c unshare --uts sh -c 'hostname c
          exec "$NFTRACE" ping -q -p udp --dport 39007 -W 0.5 -w $D/c.pcapng 10.80.9.9' || true
        """)
      let files = ["a", "b", "s"].map { "\(net.directory)/\($0).pcapng" }
      let text = try await Programs.nftrace(["show"] + files)
      #expect(text.code == 0 && text.error == "", "\(text)")
      let line = try #require(
        text.output.split(separator: "\n").last { $0.hasPrefix("clocks against a: ") })
      #expect(line.contains("b ") && line.contains("s ") && line.contains("±"), "\(line)")
      let (report, _) = try await shown(files, net)
      #expect(report.clocks?.map(\.host) == ["b", "s"])
      #expect(report.clocks?.allSatisfy { abs($0.ahead_ns) <= $0.bound_ns } == true)
      let lost = try #require(report.findings.first { $0.host == "b" })
      #expect(lost.remedy?.hasPrefix("ssh b 'nft ") == true, "\(lost)")
      let (flows, _) = try await shown(["--flows"] + files, net)
      let echo = try #require(flows.flows?.first { $0.destination == "10.80.9.9" && $0.lost == 0 })
      #expect(echo.places == ["a", "b", "s"], "\(echo)")
      let dropped = try #require(flows.flows?.first { $0.lost > 0 })
      #expect(dropped.places == ["a", "b"] && dropped.ends.first?.end.hasSuffix(" on b") == true)
      // With a ping's own session it is told as what that was lost by, as --via tells it.
      let (ping, _) = try await shown(["\(net.directory)/c.pcapng"] + files, net)
      #expect(ping.findings.first?.host == "b", "\(ping.findings)")
      #expect(ping.findings.first?.remedy?.hasPrefix("ssh b 'nft ") == true)
      // One that was copied while it was written is the same, whichever is named first; and a second recording of one place
      // has nothing more to tell.
      let early = "\(net.directory)/early.pcapng"
      let twice = try await Programs.nftrace(["show", early] + files)
      #expect(twice.output == text.output, "\(twice.error)")
      #expect(twice.error.contains("is the same session as"))
    }

    @Test func twoRecordingsOfOnePlace() async throws {
      let net = try await MachineNet()
      try await net.recording(
        """
        ip netns exec ${B}c ping -c 3 -i 0.1 -n 10.80.9.9 >/dev/null
        """)
      let files = ["a", "b", "s"].map { "\(net.directory)/\($0).pcapng" }
      // Its header is another one, as that of a file that a recorder has begun again.
      try await net.run(
        #"LC_ALL=C sed 's/"command":"record"/"command":"recore"/; s/"command":"setup"/"command":"setuq"/' $D/a.pcapng >$D/again.pcapng"#
      )
      let alone = try await Programs.nftrace(["show"] + files)
      let both = try await Programs.nftrace(["show"] + files + ["\(net.directory)/again.pcapng"])
      #expect(both.code == 0 && both.output == alone.output, "\(both)")
      #expect(
        both.error.contains("again was recorded where a was, at the same time"), "\(both.error)")
    }

    /// Each machine is a resource.
    @Test func resourcesOfMachines() async throws {
      let net = try await MachineNet()
      let outcome = try await net.ping(MachineNet.via + ["-q", "--otlp", "$D/walk.jsonl"])
      #expect(outcome.code == 0 && outcome.error == "", "\(outcome)")
      struct Line: Decodable {
        var resourceSpans: [Resource]?
        struct Resource: Decodable {
          var resource: Attributes
          var scopeSpans: [Scope]
        }
        struct Scope: Decodable { var spans: [Span] }
        struct Span: Decodable {
          var traceId: String
          var name: String
        }
        struct Attributes: Decodable { var attributes: [Attribute] }
        struct Attribute: Decodable {
          var key: String
          var value: Value
          struct Value: Decodable { var stringValue: String? }
        }
      }
      let text = try await net.run("cat $D/walk.jsonl")
      let resources = try text.split(separator: "\n").flatMap {
        try JSONDecoder().decode(Line.self, from: Data($0.utf8)).resourceSpans ?? []
      }
      let hosts = resources.map { resource in
        resource.resource.attributes.first { $0.key == "host.name" }?.value.stringValue ?? ""
      }
      #expect(hosts.sorted() == ["a", "b", "c", "s"])
      for (host, resource) in zip(hosts, resources) {
        let names = resource.scopeSpans.flatMap(\.spans).map(\.name)
        let own = ["request in \(host)", "reply in \(host)"]
        #expect(names.filter { !$0.hasPrefix("ping ") } == own, "\(host): \(names)")
      }
      let traces = resources.flatMap(\.scopeSpans).flatMap(\.spans).map(\.traceId)
      #expect(Set(traces).count == 1)
    }

    /// An odd name among the hosts is left out, and an empty group is said to be that.
    @Test func oddInventories() async throws {
      let net = try await MachineNet()
      try await net.run(
        """
        printf '%s\\n' '[routers]' 'a ansible_host=10.80.1.1' "odd ansible_host='x y'" \
          '[routers:vars]' 'ansible_user=root' '[nobody]' >$D/hosts
        """)
      let some = try await net.ping(["--via", "@$D/hosts:routers", "--json"])
      #expect(some.code == 0 && some.error.contains("is left out"), "\(some)")
      #expect(!some.output.contains("machine-missing") && some.output.contains(#""host": "a""#))
      let none = try await net.ping(["--via", "@$D/hosts:nobody"])
      #expect(none.code == 2 && none.error.contains("the group 'nobody' of"), "\(none)")
    }

    /// Killed, it takes along the ssh that it has started, and what that watches with goes as well.
    @Test func killedWithItsConnections() async throws {
      let net = try await MachineNet()
      try await net.run(
        """
        ip netns exec ${B}c unshare --uts sh -c 'hostname c; exec "$NFTRACE" ping -q -c 100 -i 0.2 --via root@10.80.1.1 10.80.9.9' \
          >/dev/null 2>&1 & echo $! >$D/ping
        for i in $(seq 100); do
          ip netns pids ${B}a | xargs -r ps -o args= -p | grep -q 'nftrace watch' && break; sleep 0.1
        done
        pgrep -P $(cat $D/ping) -a | grep -q ssh
        kill -9 $(cat $D/ping)
        """)
      #expect(
        try await Programs.eventually(within: .seconds(5)) {
          let own = try await net.run(
            "ip netns pids ${B}c | xargs -r ps -o args= -p | grep '[s]sh' || true")
          let others = try await net.leftovers()
          return own.isEmpty && others.isEmpty
        })
    }
  }
}
