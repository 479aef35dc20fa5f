import FoundationEssentials
import Glibc
import Kernel
import Testing

/// What a router and the server behind it look like, in one IP version: the walk, unless told
/// otherwise.
struct RouterPlan: Sendable {
  var tun = "tun0"
  var uplink = "eth0"
  /// The TUN device's address, with its prefix length.
  var tunAddress = "192.168.69.100/24"
  var subnet = "192.168.69.0/24"
  var client = "192.168.69.1"
  /// The router's address on the link.
  var router = "172.16.16.15"
  var gateway = "172.16.16.1"
  /// The link's prefix length.
  var length = 24
  /// The server's address on its `lo`.
  var server = "119.29.29.29"
  /// Commands in the router, behind everything else.
  var firewall = ""
  /// Whether the TUN device is there.
  var hasTun = true

  var version: Int { server.contains(":") ? 6 : 4 }

  static let ipv6 = RouterPlan(
    tunAddress: "fd00:69::100/64", subnet: "fd00:69::/64", client: "fd00:69::1",
    router: "fd00:16::15", gateway: "fd00:16::1", length: 64, server: "2001:db8:29::29")

  /// Nothing is called as in the walk.
  static let other = RouterPlan(
    tun: "clients7", uplink: "wan.up", tunAddress: "10.200.7.254/25", subnet: "10.200.7.128/25",
    client: "10.200.7.131", router: "198.18.5.2", gateway: "198.18.5.1", length: 30,
    server: "203.0.113.77")

  /// The plan with these commands as its firewall; $SUBNET, $UPLINK and so on stand for the plan's.
  func with(_ firewall: String) -> RouterPlan {
    var plan = self
    plan.firewall = firewall
    return plan
  }

  func withoutTun() -> RouterPlan {
    var plan = self
    plan.hasTun = false
    return plan
  }

  fileprivate var variables: [String: String] {
    [
      "TUN": tun, "UPLINK": uplink, "TUN_ADDRESS": tunAddress, "SUBNET": subnet, "CLIENT": client,
      "ROUTER": router, "GATEWAY": gateway, "LENGTH": "\(length)", "SERVER": server,
      "HOST": version == 4 ? "32" : "128",
    ]
  }
}

/// A router and a server in two namespaces that go with this value, built with the tools that an
/// administrator uses.
final class RouterNet: Sendable {
  let plan: RouterPlan
  /// Names for `ip netns`.
  let router: String
  let server: String

  init(_ plan: RouterPlan = RouterPlan()) async throws {
    self.plan = plan
    let base = "nftrace-test-\(getpid())-\(UInt16.random(in: 0 ... .max))"
    router = base + "-r"
    server = base + "-s"
    // The two ends of the pair have different indexes, or the kernel may take a second to notice
    // the carrier.
    try await run(
      """
      ip netns add $R; ip netns add $S
      for ns in $R $S; do
        ip netns exec $ns sysctl -qw net.ipv4.conf.all.rp_filter=0 \
          net.ipv4.conf.default.rp_filter=0 net.ipv4.ip_forward=0 \
          net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.router_solicitations=0
        ip -n $ns link set lo up
      done
      ip -n $R link add "$UPLINK" index 12 type veth peer name peer0 netns $S index 13
      ip -n $S addr add $GATEWAY/$LENGTH dev peer0
      ip -n $S addr add $SERVER/$HOST dev lo
      ip -n $S link set peer0 up
      ip -n $R addr add $ROUTER/$LENGTH dev "$UPLINK"
      ip -n $R link set "$UPLINK" up
      ip -n $R route add default via $GATEWAY
      ip netns exec $R sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
      """)
    if plan.hasTun {
      try await run(
        """
        ip -n $R tuntap add "$TUN" mode tun
        ip -n $R addr add $TUN_ADDRESS dev "$TUN"
        ip -n $R link set "$TUN" up
        """)
    }
    try await inRouter(plan.firewall)
    // The first packet finds the neighbours known and the link's queue open.
    let ping = "ip netns exec $R ping -c1 -W1 -n $SERVER"
    #expect(try await Programs.eventually(within: .seconds(3)) { try await self.tries(ping) })
  }

  deinit {
    for name in [router, server] { try? NetworkNamespace.remove(named: name) }
  }

  var environment: [String: String] {
    plan.variables.merging(["R": router, "S": server]) { first, _ in first }
  }

  private func tries(_ script: String) async throws -> Bool {
    try await Programs.shell(script, environment: environment).code == 0
  }

  /// Runs a script that must not fail. $R and $S are the namespaces. Returns what it prints.
  @discardableResult
  func run(_ script: String) async throws -> String {
    let outcome = try await Programs.shell(script, environment: environment)
    try #require(outcome.code == 0, "\(script)\n\(outcome)")
    return outcome.output
  }

  /// The same, in the router.
  @discardableResult
  func inRouter(_ script: String) async throws -> String {
    guard !script.isEmpty else { return "" }
    let outcome = try await Programs.run(
      ["ip", "netns", "exec", router, "sh", "-euc", script], environment: environment)
    try #require(outcome.code == 0, "\(script)\n\(outcome)")
    return outcome.output
  }

  /// `nftrace ping` in the router, to the server if nothing else is said.
  func ping(
    _ words: [String] = [], to destination: String? = nil,
    environment: [String: String] = [:]
  ) async throws -> Outcome {
    let device = plan.hasTun ? ["--tun", plan.tun] : []
    return try await Programs.nftrace(
      ["ping", "--netns", router] + device + words + [destination ?? plan.server],
      environment: environment)
  }

  /// The same from the plan's client, as JSON, answered.
  func report(_ words: [String] = [], to destination: String? = nil) async throws -> RunReport {
    let outcome = try await ping(["--json"] + words, to: destination)
    #expect(outcome.code == 0, "\(outcome)")
    #expect(outcome.error.isEmpty)
    return try RunReport(outcome)
  }

  /// All that nftrace might change in the router; what changes by itself is left out.
  func state() async throws -> String {
    try await inRouter(
      """
      nft -s list ruleset
      for what in link addr route rule; do echo "== $what"; ip -j -p $what; done
      ip -j -p -6 route; ip -j -p -6 rule; ip -j -p route show table all; ip tuntap
      cat /proc/self/net/ip_tables_names /proc/self/net/ip6_tables_names
      sysctl -a -r '^net\\.' 2>/dev/null | grep -v -e nf_conntrack_count
      """)
  }

  /// Checks that the router is as it was, within a second.
  func expectState(_ before: String, _ what: String) async throws {
    let same = try await Programs.eventually { try await self.state() == before }
    guard !same else { return }
    let after = Set(try await state().split(separator: "\n"))
    let old = Set(before.split(separator: "\n"))
    Issue.record("\(what): gone \(old.subtracting(after)), new \(after.subtracting(old))")
  }
}
