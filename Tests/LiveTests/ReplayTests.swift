import FoundationEssentials
import Glibc
import Testing

extension LiveTests {
  /// What a session file tells afterwards, to nftrace and to others.
  struct ReplayTests {
    private static let masquerading = RouterPlan().with(
      "iptables-nft -t nat -A POSTROUTING -s $SUBNET -j MASQUERADE")
    private static let dropping = RouterPlan().with(
      "iptables-nft -A FORWARD -d $SERVER -m comment --comment 'not there' -j DROP")

    private static func newFile() -> String {
      "\(Programs.directory)/\(UInt32.random(in: 0 ... .max)).pcapng"
    }

    @Test(
      arguments: [masquerading, dropping, .other, .ipv6],
      [
        [], ["-v"], ["-q"], ["-c", "3", "-i", "0.02"], ["-c", "20", "-i", "0"],
        ["--color", "always"],
      ])
    func theSameText(_ plan: RouterPlan, _ words: [String]) async throws {
      let net = try await RouterNet(plan)
      let file = Self.newFile()
      let live = try await net.ping(words + ["-W", "0.2", "-w", file])
      #expect(live.error.isEmpty && !live.output.isEmpty, "\(live)")
      let style = words.contains("--color") ? words : words.filter { $0 == "-v" || $0 == "-q" }
      let replayed = try await Programs.nftrace(["show", file] + style)
      #expect(replayed.output == live.output)
      #expect(replayed.code == 0, "\(replayed)")
      #expect(
        replayed.error.isEmpty || replayed.error.hasPrefix("nftrace: this is a ping, sent "),
        "\(replayed)")
    }

    @Test(arguments: [masquerading, .ipv6])
    func theSameJourneys(_ plan: RouterPlan) async throws {
      let net = try await RouterNet(plan)
      let file = Self.newFile()
      let outcome = try await net.ping(
        ["-c", "5", "-i", "0.02", "-W", "0.2", "--json", "-w", file])
      let live = try RunReport(outcome)
      #expect(live.session == file)
      let replayed = try RunReport(try await Programs.nftrace(["show", file, "--json"]))
      #expect(replayed.command == "show")
      #expect(replayed.journeys == live.probes?.flatMap(\.journeys))
      #expect(replayed.events == live.events)
      // The latest session is the same one.
      let latest = try RunReport(try await Programs.nftrace(["show", "--json"]))
      #expect(latest.journeys == replayed.journeys)
    }

    /// An output over the input would be the end of both.
    @Test(arguments: ["--html", "--export"]) func theInputIsNoOutput(_ option: String) async throws
    {
      let net = try await RouterNet(Self.dropping)
      let file = Self.newFile()
      _ = try await net.ping(["-W", "0.2", "-w", file])
      let refused = try await Programs.nftrace(["show", file, option, file])
      #expect(refused.code == 2 && refused.error.contains("write to another file"), "\(refused)")
      let page = "\(file).html"
      let written = try await Programs.nftrace(["show", file, option, page])
      #expect(written.code == 0 && written.output.isEmpty && written.error.isEmpty, "\(written)")
      let size = try await Programs.run(["test", "-s", page])
      #expect(size.code == 0)
    }

    @Test func othersReadIt() async throws {
      let net = try await RouterNet(Self.masquerading)
      let file = Self.newFile()
      _ = try await net.ping(["-w", file])
      let tshark = try await Programs.run(["tshark", "-n", "-r", file])
      #expect(tshark.code == 0, "\(tshark)")
      #expect(!tshark.error.contains("tshark:"), "\(tshark.error)")
      #expect(!tshark.output.contains("Malformed"), "\(tshark.output)")
      #expect(tshark.output.contains("Echo (ping) request"))
      let facts = try await Programs.run(["capinfos", file])
      #expect(facts.output.contains("Number of interfaces in file: 3"), "\(facts)")
      let sums = try await Programs.shell(
        """
        tshark -n -o ip.check_checksum:TRUE -o icmp.check_checksum:TRUE -r \(file) \
          -Y 'frame.interface_id == 2 && (ip.checksum.status == 0 || icmp.checksum.status == 0)'
        """)
      #expect(sums.output.isEmpty, "wrong checksums in what was sent: \(sums)")

      let export = Self.newFile() + ".pcap"
      let exporting = try await Programs.nftrace(["show", file, "--export", export])
      #expect(exporting.code == 0 && exporting.error.isEmpty, "\(exporting)")
      let tcpdump = try await Programs.run(["tcpdump", "-n", "-r", export])
      #expect(tcpdump.code == 0, "\(tcpdump)")
      let lines = tcpdump.output.split(separator: "\n").filter { !$0.hasPrefix("\t") }
      #expect(lines.count == 18)
      #expect(lines.count { $0.contains("ICMP echo request, id ") } == 7, "\(tcpdump)")
      #expect(lines.count { $0.contains("ICMP echo reply, id ") } == 7, "\(tcpdump)")
      // What arrived and left is of the netdev family, whose name tcpdump does not know.
      #expect(lines.count { $0.contains("family Unknown (5)") } == 4, "\(tcpdump)")
      // What was written for tcpdump is a capture like tcpdump's own.
      let shown = try await Programs.nftrace(["show", export])
      #expect(shown.code == 0 && shown.output.contains("119.29.29.29"), "\(shown)")
    }

    @Test func whatIsBeforeACut() async throws {
      let net = try await RouterNet(Self.masquerading)
      let file = Self.newFile()
      let live = try await net.ping(["-c", "3", "-i", "0.02", "-w", file])
      let whole = try [UInt8](Data(contentsOf: URL(filePath: file)))
      let first = live.output.split(separator: "\n")[0]
      for cut in [30, 500, whole.count / 4, whole.count / 2, whole.count * 5 / 6, whole.count - 1] {
        let piece = Self.newFile()
        try Data(whole[..<cut]).write(to: URL(filePath: piece))
        let shown = try await Programs.nftrace(["show", piece])
        // Where the piece ends, or where the block begins that it ends in.
        let offset = try #require(
          shown.error.firstMatch(of: /byte (\d+)/).flatMap { Int($0.output.1) }, "\(shown)")
        #expect(offset <= cut && cut - offset < 16384, "cut at \(cut): \(shown.error)")
        // What was listed when it began and the first probe are less than five sixths.
        if cut >= whole.count * 5 / 6 {
          #expect(shown.code == 0 && shown.output.hasPrefix(first), "cut at \(cut): \(shown)")
        }
      }
    }

    @Test func damageInTheMiddle() async throws {
      let net = try await RouterNet(Self.masquerading)
      let file = Self.newFile()
      let live = try await net.ping(["-c", "3", "-i", "0.02", "-w", file])
      var bytes = try [UInt8](Data(contentsOf: URL(filePath: file)))
      // 64 octets of noise are the end of one block and the beginning of the next, or its length.
      for index in bytes.count * 2 / 3..<(bytes.count * 2 / 3 + 256) { bytes[index] = 0xa5 }
      try Data(bytes).write(to: URL(filePath: file))
      let shown = try await Programs.nftrace(["show", file])
      #expect(shown.error.contains("byte "), "\(shown)")
      #expect(shown.output.hasPrefix(live.output.split(separator: "\n")[0]), "\(shown)")
    }

    @Test(arguments: ["", "hello\n", "\u{0a}\u{0d}\u{0d}\u{0a}and then something else"])
    func whatIsNoSession(_ text: String) async throws {
      let file = Self.newFile()
      _ = try await Programs.run(["mkdir", "-p", Programs.directory])
      try Data(text.utf8).write(to: URL(filePath: file))
      let shown = try await Programs.nftrace(["show", file])
      #expect(shown.code == 2 && shown.output.isEmpty && shown.error.contains(file), "\(shown)")
    }

    @Test func aCaptureOfSomethingElse() async throws {
      let net = try await RouterNet()
      let file = Self.newFile()
      try await net.inRouter(
        """
        tcpdump -U -q -i "$UPLINK" -c 2 -w \(file) 2>/dev/null & capture=$!
        until grep -q . /proc/self/net/packet && [ -s \(file) ]; do sleep .01; done
        ping -c2 -i .1 -n $SERVER >/dev/null; wait $capture
        """)
      let shown = try await Programs.nftrace(["show", file])
      #expect(shown.code == 2 && shown.error.contains("no NFLOG packets"), "\(shown)")
    }

    @Test func whatTcpdumpCaught() async throws {
      let net = try await RouterNet(
        RouterPlan().with(
          """
          nft "table ip mine {
            chain a { type filter hook prerouting priority -300; icmp type echo-request log group 7 prefix \\"raw-PREROUTING: \\"
            }
            chain b { type filter hook forward priority 0; icmp type echo-request log group 7 prefix \\"filter-FORWARD: \\"
            }
            chain c { type nat hook postrouting priority 100; log group 7 prefix \\"nat-POSTROUTING: \\" masquerade
            }
          }"
          """))
      let file = Self.newFile()
      try await net.inRouter(
        """
        tcpdump -U -i nflog:7 -c 3 -w \(file) 2>/dev/null & capture=$!
        until grep -q ' 7 ' /proc/self/net/netfilter/nfnetlink_log; do sleep .01; done
        "$NFTRACE" ping --tun "$TUN" -q $SERVER; wait $capture
        """)
      let shown = try await Programs.nftrace(["show", file])
      #expect(shown.code == 0 && shown.error.isEmpty, "\(shown)")
      #expect(shown.output.contains("192.168.69.1 → 119.29.29.29"), "\(shown)")
      let report = try RunReport(try await Programs.nftrace(["show", file, "--json"]))
      let labels = report.journeys?.first?.hops.map(\.label)
      #expect(labels == ["raw-PREROUTING", "filter-FORWARD", "nat-POSTROUTING"])
    }

    @Test func onlyWhatWasAskedFor() async throws {
      let net = try await RouterNet(Self.masquerading)
      let file = Self.newFile()
      _ = try await net.ping(["-c", "3", "-i", "0.02", "-w", file])
      func count(_ words: [String]) async throws -> Int {
        let outcome = try await Programs.nftrace(["show", file, "--json"] + words)
        let journeys = try RunReport(outcome).journeys ?? []
        #expect(outcome.code == (journeys.isEmpty ? 1 : 0), "\(words)")
        return journeys.count
      }
      #expect(try await count([]) == 6)
      #expect(try await count(["--last", "1"]) == 2)
      #expect(try await count(["--from", "192.168.69.0/24"]) == 6)
      #expect(try await count(["--to", "119.29.29.29", "--last", "2"]) == 4)
      #expect(try await count(["--from", "10.0.0.0/8"]) == 0)
      #expect(try await count(["--protocol", "icmp"]) == 6)
      #expect(try await count(["--protocol", "tcp"]) == 0)
      #expect(try await count(["--lost"]) == 0)
      #expect(try await count(["--packet", "1"]) == 2)
    }
  }
}
