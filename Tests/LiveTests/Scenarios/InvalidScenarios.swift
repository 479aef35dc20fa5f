extension Scenario {
  /// What conntrack makes nothing of.
  static let invalid: [Scenario] =
    [
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
        facts: .lost("request prerouting"),
        said: Diagnosis(
          errors: ["lost-after"], mentions: ["fragment"], remedy: .none, isInferred: true)),
      Scenario(
        name: "second-fragment-of-answer-missing-v4", version: .v4,
        router: damaged("ip frag-off & 0x1fff != 0 drop", on: "up0"),
        server: "ip route add $UP dev up0 mtu lock 1000", arguments: ["--size", "1200"],
        facts: .lost("reply prerouting"),
        said: Diagnosis(
          errors: ["lost-after"], mentions: ["answer", "fragment"], remedy: .none, isInferred: true)
      ),
    ] + strays + clash

  /// A probe that became an answer on arrival: NAT passes it over.
  private static let strays: [Scenario] =
    both("stray-echo-reply") { version in
      Scenario(
        name: "", version: version,
        router: damaged("$ICMP type echo-request $ICMP type set echo-reply"),
        facts: .lost("reply egress"),
        said: Diagnosis(errors: ["not-translated"], mentions: ["invalid"], isInferred: true))
    }

  /// All datagrams are to have one port: the first flow has it.
  private static let clash: [Scenario] =
    both("udp-snat-port-clash") { version in
      Scenario(
        name: "", version: version, nat: .none,
        router: """
          nft 'table $FAM nat { chain post {
            type nat hook postrouting priority srcnat;
            meta l4proto udp snat to \(version == .v4 ? "$UP" : "[$UP]"):4000;
          }; }'
          bash -c 'echo x >/dev/udp/$DST/9'
          """,
        arguments: ["-p", "udp", "--dport", "9"], facts: .lost("request postrouting"),
        said: Diagnosis(errors: ["snat-clash"], mentions: ["$UP"]))
    }

  private static let dropsInvalid = "$IPT -A FORWARD -m conntrack --ctstate INVALID -j DROP"

  private static func damaged(_ statement: String, on device: String = "tun7") -> String {
    """
    nft 'table netdev damage { chain in {
      type filter hook ingress device \(device) priority 0; \(statement);
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
