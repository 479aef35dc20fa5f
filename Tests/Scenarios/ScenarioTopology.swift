package import Kernel
import Wire

/// The router and the server every scenario begins with, with addresses of the scenarios' own.
///
/// ```
/// client $SRC ── tun7 $TUN  router  $UP up0 ── up0 $GW  server, $DST and $DST2 on lo
/// ```
///
/// The router forwards and does not filter; the server knows no way back to the client's subnet.
package enum ScenarioTopology {
  package static let lab = LabTopology(
    interface: "up0",
    router: [Prefix("10.77.2.2/24")!, Prefix("fd77:2::2/64")!],
    server: [Prefix("10.77.2.1/24")!, Prefix("fd77:2::1/64")!],
    destinations: [
      IPAddress("203.0.113.7")!, IPAddress("203.0.113.8")!, IPAddress("2001:db8:77::7")!,
      IPAddress("2001:db8:77::8")!,
    ])

  /// What a setup watches: all of the addresses above.
  package static let subnets = "10.77.0.0/16 203.0.113.0/24 fd77::/16 2001:db8:77::/64"

  /// Run in the router first: the client's side, and the translation. Neighbours that do not answer
  /// are given up after 3 × 50 ms, not 3 s.
  static func preparation(_ scenario: Scenario) throws -> String {
    let device = """
      ip tuntap add tun7 mode tun
      ip addr add 10.77.1.1/24 dev tun7
      ip addr add fd77:1::1/64 dev tun7 nodad
      ip link set tun7 up
      sysctl -qw net.ipv4.neigh.up0.retrans_time_ms=50 net.ipv6.neigh.up0.retrans_time_ms=50
      """
    let translation =
      switch scenario.nat {
      case .none: ""
      case .nft:
        """
        nft 'table $FAM nat {
          chain postrouting {
            type nat hook postrouting priority srcnat;
            oifname "up0" masquerade;
          };
        }'
        """
      case .iptables: "$IPT -t nat -A POSTROUTING -o up0 -j MASQUERADE"
      case .legacy: "$LEG -t nat -A POSTROUTING -o up0 -j MASQUERADE"
      }
    return try words(scenario.family).spell(device + "\n" + translation)
  }

  /// What the words of all scenarios stand for. Those that are known only when the namespaces are there
  /// are the runner's: $ATSERVER, $ATCLIENT, $CLIENT, $BPF.
  static func words(_ family: Scenario.Family) -> Words {
    let all: [String: (String, String)] = [
      // The client, a subnet of its own, the router's address in it.
      "SRC": ("10.77.1.2", "fd77:1::2"), "NET": ("10.77.1.0/24", "fd77:1::/64"),
      "TUN": ("10.77.1.1", "fd77:1::1"), "SRC0": ("10.77.1.50", "fd77:1::50"),
      // The router's and the server's address between them, and one there that nobody has.
      "UP": ("10.77.2.2", "fd77:2::2"), "GW": ("10.77.2.1", "fd77:2::1"),
      "DEAD": ("10.77.2.99", "fd77:2::99"),
      // Destinations on the server, their subnet, one in it that nobody has, and one to translate.
      "DST": ("203.0.113.7", "2001:db8:77::7"), "DST2": ("203.0.113.8", "2001:db8:77::8"),
      "DSTNET": ("203.0.113.0/24", "2001:db8:77::/64"),
      "FAR": ("203.0.113.99", "2001:db8:77::99"), "DNAT": ("198.51.100.5", "2001:db8:5::5"),
      // A source from elsewhere, and where it is from.
      "FOREIGN": ("10.55.0.1", "fd55::1"), "FOREIGNNET": ("10.55.0.0/24", "fd55::/64"),
      // A whole address, and everything.
      "LEN": ("32", "128"), "UPLEN": ("24", "64"), "ANY": ("0.0.0.0/0", "::/0"),
      // Words of the tools.
      "NODAD": ("", "nodad"),
      "IP": ("ip -4", "ip -6"), "FAM": ("ip", "ip6"), "ICMP": ("icmp", "icmpv6"),
      "IPT": ("iptables-nft", "ip6tables-nft"), "LEG": ("iptables-legacy", "ip6tables-legacy"),
      "FORWARDING": ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"),
      "ECHO": ("net.ipv4.icmp_echo_ignore_all", "net.ipv6.icmp.echo_ignore_all"),
    ]
    return Words(all.mapValues { family == .v4 ? $0.0 : $0.1 })
  }
}
