import Foundation
import Testing

extension LiveTests {
  /// Times are those of the kernel, as somebody else sees them.
  struct TimeTests {
    private struct Report: Decodable {
      var started: String?
      var host: String?
      var boot: String?
      var probes: [Probe]

      struct Probe: Decodable {
        var rtt_us: Double?
        var journeys: [Journey]
      }

      struct Journey: Decodable {
        var time: Int
        var direction: String
        var hops: [Hop]
      }

      struct Hop: Decodable {
        var hook: String
        var time: Int
        var time_us: Double
        var clock: String
      }
    }

    /// Prints when packets with an echo pass the server's end of the link, by the kernel's stamps: which also
    /// has the kernel stamp packets when they arrive.
    private static func witnessed(_ script: String) -> String {
      """
      ip netns exec $S python3 -u -c '
      import socket, struct
      s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
      s.setsockopt(socket.SOL_SOCKET, 35, 1)
      print("ready")
      while True:
        data, found, _, where = s.recvmsg(2048, 256)
        icmp = data[data[0] % 16 * 4:] if data[0] >> 4 == 4 else data[40:]
        if where[0] == "lo" or icmp[0] not in (0, 8, 128, 129): continue
        seconds, rest = struct.unpack("qq", found[0][2])
        print("witness", seconds * 1000000000 + rest)
      ' >$DIR/witness.$R & witness=$!
      trap 'kill $witness; rm $DIR/witness.$R' EXIT
      while ! [ -s $DIR/witness.$R ]; do sleep 0.02; done
      \(script)
      sleep 0.1
      grep witness $DIR/witness.$R
      """
    }

    @Test(arguments: [RouterPlan(), .ipv6], ["--tun \"$TUN\"", "--local"])
    func aWitnessAgrees(plan: RouterPlan, entrance: String) async throws {
      let net = try await RouterNet(
        plan.with(
          "\(plan.version == 4 ? "iptables" : "ip6tables") -t nat -A POSTROUTING -o $UPLINK -j MASQUERADE"
        ))
      let output = try await net.run(
        Self.witnessed("\"$NFTRACE\" ping --json --netns $R \(entrance) $SERVER"))
      let end = try #require(output.range(of: "\n}\n"))
      let witness = output[end.upperBound...].split(separator: "\n")
        .compactMap { Int($0.split(separator: " ")[1]) }
      let report = try JSONDecoder().decode(
        Report.self, from: Data(output[..<end.upperBound].utf8))
      let probe = try #require(report.probes.first)
      let journeys = probe.journeys
      #expect(journeys.map(\.direction) == ["request", "reply"])
      try #require(witness.count == 2 && journeys.count == 2)
      let left = try #require(journeys[0].hops.last { $0.hook == "egress" })
      let back = try #require(journeys[1].hops.first { $0.hook == "ingress" })
      #expect(left.clock == "kernel" && back.clock == "kernel")
      // The kernel tells microseconds of the one, and nanoseconds of the other.
      #expect(left.time <= witness[0])
      #expect(witness[0] <= witness[1] && witness[1] <= back.time + 1000)
      let all = journeys.flatMap(\.hops).map(\.time)
      #expect(all == all.sorted())
      // What arrived has the stamp of its arrival at each hook, which is not theirs.
      #expect(journeys[1].hops.contains { $0.hook == "prerouting" && $0.clock == "reading" })
      let request = journeys[0].hops.first { $0.clock == "kernel" }
      let reply = journeys[1].hops.last { $0.clock == "kernel" }
      #expect(probe.rtt_us == Double(reply!.time - request!.time) / 1000)
      #expect(report.started?.hasPrefix("20") == true && report.host != nil && report.boot != nil)
    }

    /// Nobody else asks for stamps: each hook has its own.
    @Test func eachHookHasItsTime() async throws {
      let net = try await RouterNet(RouterPlan().withoutTun())
      let output = try await net.run("\"$NFTRACE\" ping --json --netns $R --local $SERVER")
      let report = try JSONDecoder().decode(Report.self, from: Data(output.utf8))
      let reply = try #require(report.probes.first?.journeys.last)
      let stamped = reply.hops.filter { ["ingress", "prerouting", "input"].contains($0.hook) }
      #expect(stamped.count >= 6)
      // Elsewhere on this machine somebody may: then they are the packet's.
      #expect(stamped.allSatisfy { $0.clock != "reading" })
      #expect(Int(stamped.last!.time_us * 1000) == stamped.last!.time - reply.time)
    }
  }
}
