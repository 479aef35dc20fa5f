import FoundationEssentials
import Glibc
import Kernel
import Testing

/// A client, three routers and a server in a row, in IPv6. The first and the last router write into packets that ask for
/// it; no nftrace is on any of them. All goes with this value.
final class RouterRow: Sendable {
  /// What begins the names of the namespaces: behind it stand c, 1, 2, 3 and s.
  let base: String
  static let server = "fd00:4::2"
  static let canBe: Bool = {
    do {
      return try inNewNamespace { Sysctl(path: "net/ipv6/ioam6_id")?.exists == true }
    } catch {
      return false
    }
  }()

  init() async throws {
    base = "nftrace-test-\(getpid())-\(UInt16.random(in: 0 ... .max))-"
    try await run(
      """
      for n in c 1 2 3 s; do
        ip netns add $B$n; ip -n $B$n link set lo up
        ip netns exec $B$n sysctl -qw net.ipv6.conf.default.accept_dad=0
      done
      for n in 1 2 3; do ip netns exec $B$n sysctl -qw net.ipv6.conf.all.forwarding=1; done
      link() {
        ip -n $B$1 link add e$2 type veth peer name w$1 netns $B$2
        ip -n $B$1 addr add fd00:$3::1/64 dev e$2 nodad; ip -n $B$2 addr add fd00:$3::2/64 dev w$1 nodad
        ip -n $B$1 link set e$2 up; ip -n $B$2 link set w$1 up
      }
      link c 1 1; link 1 2 2; link 2 3 3; link 3 s 4
      ip -n ${B}c route add default via fd00:1::2
      ip -n ${B}1 route add fd00:4::/64 via fd00:2::2
      ip -n ${B}2 route add fd00:1::/64 via fd00:2::1; ip -n ${B}2 route add fd00:4::/64 via fd00:3::2
      ip -n ${B}3 route add fd00:1::/64 via fd00:3::1
      ip -n ${B}s route add default via fd00:4::1
      on() {
        ip netns exec $B$1 sysctl -qw net.ipv6.ioam6_id=$1
        ip netns exec $B$1 sysctl -qw net.ipv6.conf.$2.ioam6_enabled=1 net.ipv6.conf.$2.ioam6_id=${1}1
        ip netns exec $B$1 sysctl -qw net.ipv6.conf.$3.ioam6_enabled=1 net.ipv6.conf.$3.ioam6_id=${1}2
        ip -n $B$1 ioam namespace add 0
      }
      on 1 wc e2; on 3 w2 es
      for i in 1 2 3 4 5 6 7 8 9 10; do
        ip netns exec ${B}c ping -c1 -W1 -n fd00:4::2 >/dev/null && break
      done
      """)
  }

  deinit {
    for name in ["c", "1", "2", "3", "s"] { try? NetworkNamespace.remove(named: base + name) }
  }

  @discardableResult
  func run(_ script: String) async throws -> String {
    let outcome = try await Programs.shell("set -e\n\(script)", environment: ["B": base])
    try #require(outcome.code == 0, "\(script)\n\(outcome)")
    return outcome.output
  }

  /// A ping of the client's.
  func ping(_ words: String) async throws -> Outcome {
    try await Programs.nftrace(
      ["ping", "--netns", "\(base)c"] + words.split(separator: " ").map(String.init))
  }
}

extension LiveTests {
  /// `ping --ioam`: what routers that do not run nftrace write into a probe.
  @Suite(
    .timeLimit(.minutes(3)), .enabled(if: RouterRow.canBe, "the kernel has no CONFIG_IPV6_IOAM6"))
  struct RouterTraceTests {
    struct Report: Decodable {
      var probes: [Probe]

      struct Probe: Decodable {
        var outcome: String
        var routers: Routers
      }
      struct Routers: Decodable {
        var known: Bool
        var hops: [Hop]
      }
      struct Hop: Decodable, Equatable {
        var hop: Int
        var wrote: Bool
        var destination: Bool
        var node: Int?
        var `in`: Int?
        var out: Int?
        var time: Int?
      }
    }

    private func report(_ outcome: Outcome, code: Int32) throws -> Report.Probe {
      #expect(outcome.code == code && outcome.error == "", "\(outcome)")
      return try #require(
        try JSONDecoder().decode(Report.self, from: Data(outcome.output.utf8)).probes.first)
    }

    /// Whatever is sent: an echo and a SYN whose destination is asked to send it back, and a datagram that it sends back
    /// by itself, for the port is closed.
    @Test(arguments: [
      ("", "replied"), ("-p udp", "rejected"), ("-p tcp --dport 39001", "rejected"),
    ])
    func routersWithoutNftrace(_ words: String, _ outcome: String) async throws {
      let row = try await RouterRow()
      let probe = try report(
        try await row.ping("--ioam \(words) --json \(RouterRow.server)"),
        code: outcome == "replied" ? 0 : 1)
      #expect(probe.outcome == outcome)
      let hops = probe.routers.hops
      #expect(hops.map(\.hop) == [1, 2, 3])
      #expect(hops.map(\.node) == [1, nil, 3])
      #expect(hops.map(\.wrote) == [true, false, true])
      #expect(hops.map(\.in) == [11, nil, 31] && hops.map(\.out) == [12, nil, 32])
      let times = hops.compactMap(\.time)
      // It is one machine, and one clock.
      #expect(times.count == 2 && times[0] <= times[1] && times[1] - times[0] < 1_000_000_000)
    }

    @Test func theSessionTellsTheSame() async throws {
      let row = try await RouterRow()
      let file = "\(Programs.directory)/routers-\(UInt32.random(in: 0 ... .max)).pcapng"
      let live = try await row.ping("--ioam -w \(file) \(RouterRow.server)")
      #expect(live.code == 0 && live.error == "", "\(live)")
      #expect(live.output.contains("node 1        in 11, out 12"), "\(live)")
      #expect(live.output.contains("wrote nothing"))
      let shown = try await Programs.nftrace(["show", file])
      #expect(
        shown.output == live.output && shown.error.hasPrefix("nftrace: this is a ping, sent "),
        "\(shown)")
      struct Shown: Decodable { var routers: [Report.Routers] }
      let json = try await Programs.nftrace(["show", "--json", file])
      let told = try JSONDecoder().decode(Shown.self, from: Data(json.output.utf8))
      #expect(told.routers.first?.hops.map(\.node) == [1, nil, 3], "\(json)")
    }

    /// Where none is switched on, that is said; and where the destination sends nothing back.
    @Test func routersThatAreNotAsked() async throws {
      let row = try await RouterRow()
      let other = try await row.ping("--ioam --ioam-namespace 7 \(RouterRow.server)")
      #expect(other.output.contains("none of the 3 routers on the way"), "\(other)")
      try await row.run(
        "ip netns exec ${B}s nft 'table inet f { chain o { type filter hook output priority 0; icmpv6 type parameter-problem drop; }; }'"
      )
      let silent = try report(
        try await row.ping("--ioam -W 0.3 --json \(RouterRow.server)"), code: 0)
      #expect(!silent.routers.known && silent.routers.hops.isEmpty)
      let version = try await row.ping("--ioam 10.0.0.1")
      #expect(version.code == 2 && version.error.contains("--ioam is for IPv6"), "\(version)")
    }

    /// Of a probe that is lost without a word nothing is known; what is said to help does: the router where its hop limit
    /// ends sends it back. So does one that refuses it.
    @Test func aLostProbe() async throws {
      let row = try await RouterRow()
      let drop = "ip netns exec ${B}3 nft"
      try await row.run(
        "\(drop) 'table ip6 f { chain f { type filter hook forward priority 0; ip6 daddr fd00:4::2 drop; }; }'"
      )
      let lost = try await row.ping("--ioam -W 0.3 \(RouterRow.server)")
      #expect(
        lost.output.contains(
          "no machine has sent the probe back, or shown it (IOAM, namespace 0); with -t 1, -t 2"),
        "\(lost)")
      let second = try report(
        try await row.ping("--ioam -t 2 -W 1 --json \(RouterRow.server)"), code: 1)
      #expect(second.routers.hops.filter(\.wrote).map(\.node) == [1], "\(second)")
      let third = try report(
        try await row.ping("--ioam -t 3 -W 1 --json \(RouterRow.server)"), code: 1)
      #expect(third.routers.hops.map(\.node) == [1, nil, 3], "\(third)")
      try await row.run(
        "\(drop) flush ruleset; ip -n ${B}3 route add unreachable fd00:4::2/128")
      let refused = try report(
        try await row.ping("--ioam -W 1 --json \(RouterRow.server)"), code: 1)
      #expect(refused.outcome == "rejected")
      #expect(refused.routers.hops.map(\.node) == [1, nil, 3], "\(refused)")
    }

    @Test func statusSaysWhetherThisIsOne() async throws {
      let row = try await RouterRow()
      let router = try await Programs.nftrace(["status", "--netns", "\(row.base)1"])
      #expect(router.output.contains("shows this host as a router: node 1"), "\(router)")
      let other = try await Programs.nftrace(["status", "--netns", "\(row.base)2"])
      #expect(other.output.contains("ip ioam namespace add 0"), "\(other)")
      // What it says helps.
      let commands = other.output.split(separator: "\n").filter {
        $0.hasPrefix("  sysctl -w net/ipv6") || $0.hasPrefix("  ip ioam")
      }.map { $0.replacing("/eth0/", with: "/w1/") }
      try await row.run("ip netns exec ${B}2 sh -ec '\(commands.joined(separator: "\n"))'")
      let now = try await Programs.nftrace(["status", "--netns", "\(row.base)2"])
      #expect(now.output.contains("shows this host as a router"), "\(commands)\n\(now)")
    }
  }
}
