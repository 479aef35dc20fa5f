extension Scenario {
  /// What no probe can be, recorded by a setup while others send it.
  static let recorded: [Scenario] =
    unknownProtocol + recordedRefusals + bridged + [lostEvents]

  /// Sends one packet of IP protocol 253, which is kept for experiments (RFC 3692).
  private static let experiment = """
    perl -MSocket=:all -e '
      my ($error, $to) = getaddrinfo($ARGV[0], "",
        { flags => AI_NUMERICHOST, socktype => SOCK_RAW, protocol => 253 });
      socket(my $socket, $to->{family}, SOCK_RAW, 253) or die $!;
      send($socket, "experiment", 0, $to->{addr}) or die $!'
    """

  private static let unknownProtocol: [Scenario] =
    both("unknown-protocol-here") { _ in
      Scenario(
        name: "", version: .v4, traffic: "$ATSERVER \(experiment) $UP\nsleep 0.2", facts: .recorded,
        said: Diagnosis(
          errors: ["unknown-protocol"], mentions: ["this host", "253"], remedy: .none))
    }
    + both("unknown-protocol-beyond") { _ in
      Scenario(
        name: "", version: .v4, traffic: "\(experiment) $DST\nsleep 0.2", facts: .recorded,
        said: Diagnosis(
          errors: ["unknown-protocol"], mentions: ["$DST", "not this host"], remedy: .none,
          isInferred: true))
    }
    // Without conntrack, only what the ICMP error quotes tells what it is about.
    + [
      Scenario(
        name: "unknown-protocol-untracked-v4", version: .v4, nat: .none,
        traffic: "$ATSERVER \(experiment) $UP\nsleep 0.2", facts: .recorded,
        said: Diagnosis(errors: ["unknown-protocol"], mentions: ["this host"], remedy: .none))
    ]

  private static let recordedRefusals: [Scenario] =
    both("recorded-udp-closed-port") { _ in
      Scenario(
        name: "", version: .v4,
        traffic: """
          $ATSERVER perl -MSocket=:all -e '
            my ($error, $to) = getaddrinfo("$UP", 9, { flags => AI_NUMERICHOST, socktype => SOCK_DGRAM });
            socket(my $socket, $to->{family}, SOCK_DGRAM, 0); send($socket, "x", 0, $to->{addr})'
          sleep 0.2
          """, facts: .recorded,
        said: Diagnosis(errors: ["no-listener"], mentions: ["this host", "UDP port 9"]))
    }
    // What many connections end with is no refusal of what they began with.
    + [
      Scenario(
        name: "recorded-tcp-reset-at-end-v4", version: .v4,
        server: """
          perl -MSocket=:all -e '
            socket(my $socket, AF_INET, SOCK_STREAM, 0);
            setsockopt($socket, SOL_SOCKET, SO_REUSEADDR, 1);
            bind($socket, pack_sockaddr_in(7777, inet_aton("$GW"))) && listen($socket, 1) or die $!;
            alarm 5; fork && exit; open STDOUT, ">/dev/null"; open STDERR, ">/dev/null";
            accept(my $other, $socket); setsockopt($other, SOL_SOCKET, SO_LINGER, pack("ii", 1, 0));
            close $other'
          """,
        traffic: """
          perl -MSocket=:all -e '
            socket(my $socket, AF_INET, SOCK_STREAM, 0);
            connect($socket, pack_sockaddr_in(7777, inet_aton("$GW"))) or die $!;
            sysread($socket, my $text, 1)'
          sleep 0.2
          """, facts: .recorded, said: Diagnosis())
    ]

  /// Two stations in one subnet, and the router's bridge between them.
  private static let bridge = """
    ip netns add $CLIENT
    ip link add cl0 type veth peer name cl0 netns $CLIENT
    ip link add br0 type bridge
    ip link set up0 master br0
    ip link set cl0 master br0
    ip link set cl0 up
    ip link set br0 up
    $ATCLIENT ip link set cl0 up
    $ATCLIENT $IP addr add $DEAD/$UPLEN dev cl0 $NODAD
    sysctl -qw net.bridge.bridge-nf-call-iptables=1 net.bridge.bridge-nf-call-ip6tables=1
    $ATCLIENT ping -n -q -c3 -i 0.3 -W1 $GW >/dev/null
    """

  private static let bridged: [Scenario] =
    both("bridge-netfilter") { version in
      Scenario(
        name: "", version: version, router: bridge,
        traffic: "$ATCLIENT ping -n -q -c1 -W1 $GW >/dev/null\nsleep 0.2", facts: .recorded,
        said: Diagnosis(notes: ["bridge-netfilter"], remedy: .none))
    }
    + [
      // Why does a rule for IP drop what is not routed at all?
      Scenario(
        name: "bridge-netfilter-drop-v4", version: .v4,
        router: bridge + "\niptables-nft -P FORWARD DROP",
        traffic: "$ATCLIENT ping -n -q -c1 -W1 $GW >/dev/null || true\nsleep 0.2", facts: .recorded,
        said: Diagnosis(
          errors: ["policy-drop"], notes: ["bridge-netfilter"],
          at: .init("forward", "filter", "FORWARD"))),
      // Bridged, and no rule for IP asked: nothing to be said.
      Scenario(
        name: "bridge-without-netfilter-v4", version: .v4,
        router: bridge + "\nsysctl -qw net.bridge.bridge-nf-call-iptables=0",
        traffic: "$ATCLIENT ping -n -q -c1 -W1 $GW >/dev/null\nsleep 0.2", facts: .recorded,
        said: Diagnosis(remedy: .none)),
    ]

  /// The recorder stands still, connections that nobody asked about fill its socket, and packets that
  /// were asked about find no room.
  private static let lostEvents = Scenario(
    name: "events-lost-v4", version: .v4,
    traffic: """
      ping -n -q -c1 $DST >/dev/null
      sleep 0.2
      kill -STOP $recorder
      perl -MSocket=:all -e '
        for my $round (1..4) {
          for my $port (1..60000) {
            socket(my $socket, AF_INET, SOCK_STREAM, 0);
            connect($socket, pack_sockaddr_in($port, inet_aton("127.0.0.1")));
          }
        }'
      ping -n -q -c2 -i 0.2 $DST >/dev/null
      kill -CONT $recorder
      before=
      while now=$(cut -d' ' -f14,15 /proc/$recorder/stat); [ "$now" != "$before" ]; do
        before=$now; sleep 0.3
      done
      ping -n -q -c1 $DST >/dev/null
      sleep 0.2
      """, facts: .recorded, said: Diagnosis(notes: ["events-lost"], remedy: .none))
}
