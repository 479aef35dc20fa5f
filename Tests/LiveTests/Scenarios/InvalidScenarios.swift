extension Scenario {
  /// What conntrack makes nothing of.
  static let invalid: [Scenario] = [
    // A TCP segment of a connection that began before anybody looked.
    recordedInvalid(
      "tcp-not-loose", settings: "sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0",
      """
      my $from = inet_aton("$GW"); my $to = inet_aton("$SRC");
      my $packet = pack("nnNNnnnn", 4000, 80, 1, 1, 0x5010, 1024, 0, 0);
      my $sum = unpack("%32n*", $from . $to . pack("nn", 6, 20) . $packet);
      $sum = ($sum & 0xffff) + ($sum >> 16) for 1..2;
      substr($packet, 16, 2) = pack("n", ~$sum & 0xffff);
      socket(my $socket, AF_INET, SOCK_RAW, 6) or die $!;
      """),
    // An answer that nobody asked for.
    recordedInvalid(
      "stray-echo-reply",
      """
      my $to = inet_aton("$SRC");
      my $packet = pack("nnnn", 0, ~0x1235 & 0xffff, 0x1234, 1);
      socket(my $socket, AF_INET, SOCK_RAW, 1) or die $!;
      """),
    // A chain of the netdev family spoils it on arrival.
    Scenario(
      name: "bad-icmp-checksum-invalid-v4", version: .v4, nat: .iptables,
      router: damaged("@th,16,16 set 0x1234") + "\n" + dropsInvalid,
      facts: .lost("request forward"),
      said: Diagnosis(
        errors: ["invalid-state-drop"], at: .init("forward", "filter", "FORWARD", "INVALID"),
        mentions: ["checksum is wrong"], remedy: .none)),
    // The first part waits for the others, which do not come.
    Scenario(
      name: "second-fragment-missing-v4", version: .v4, router: damaged("ip frag-off set 0x2000"),
      facts: .lost("request prerouting"), said: Diagnosis(errors: ["lost-after"], remedy: .none)),
    Scenario(
      name: "udp-snat-port-clash-v4", version: .v4, nat: .none,
      router: """
        nft 'table ip nat { chain post {
          type nat hook postrouting priority srcnat; ip protocol udp snat to $UP:4000;
        }; }'
        perl -MSocket=:all -e '
          socket(my $socket, AF_INET, SOCK_DGRAM, 0);
          send($socket, "x", 0, pack_sockaddr_in(9, inet_aton("$DST"))) or die $!'
        """,
      arguments: ["-p", "udp", "--dport", "9"], facts: .lost("request postrouting"),
      said: Diagnosis(errors: ["snat-clash"])),
  ]

  private static let dropsInvalid = "$IPT -A FORWARD -m conntrack --ctstate INVALID -j DROP"

  private static func damaged(_ statement: String) -> String {
    """
    nft 'table netdev damage { chain in {
      type filter hook ingress device tun7 priority 0; \(statement);
    }; }'
    """
  }

  /// The server sends a packet to the client, and the router records it.
  private static func recordedInvalid(
    _ name: String, settings: String = "", _ packet: String
  ) -> Scenario {
    Scenario(
      name: "\(name)-invalid-v4", version: .v4, nat: .iptables,
      router: dropsInvalid + "\n" + settings, server: "$IP route add $NET via $UP",
      traffic: """
        $ATSERVER perl -MSocket=:all -e '
          \(packet)
          send($socket, $packet, 0, pack_sockaddr_in(0, $to)) or die $!'
        sleep 0.2
        """, facts: .recorded,
      said: Diagnosis(
        errors: ["invalid-state-drop"], at: .init("forward", "filter", "FORWARD", "INVALID")))
  }
}
