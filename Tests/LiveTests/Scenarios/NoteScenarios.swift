extension Scenario {
  /// A reply comes, and a note explains what the user sees.
  static let notes: [Scenario] =
    [
      Scenario(
        name: "note-fragmented-v4", version: .v4, router: "ip link set up0 mtu 1000",
        server: "ip link set up0 mtu 1000", arguments: ["--size", "1200"], facts: .replied,
        said: Diagnosis(notes: ["fragmented"], remedy: .none))
    ]
    // Sent back to where it came from, where nobody is. A translation would not help.
    + [
      redirect(.v4, via: "$SRC0"),
      // IPv6 redirects to link-local gateways only (RFC 4861 section 8.1).
      redirect(.v6, via: "fe80::50"),
    ]
    + sameFlow
    + both("note-mixed-backends") { _ in
      Scenario(
        name: "", version: .v4, nat: .nft, router: "$LEG -A FORWARD -s $FOREIGN -j DROP",
        facts: .replied, said: Diagnosis(mayNote: ["nat-once-per-flow", "mixed-backends"]))
    }

  /// The user fixes the port, so that the second probe is of the flow of the first: answered, and
  /// with nobody to answer.
  private static let sameFlow: [Scenario] =
    both("note-nat-once") { _ in
      Scenario(
        name: "", version: .v4,
        server: """
          perl -MSocket=:all -e '
            my ($error, $at) = getaddrinfo("$DST", 7, { flags => AI_NUMERICHOST, socktype => SOCK_DGRAM });
            socket(my $socket, $at->{family}, SOCK_DGRAM, 0);
            bind($socket, $at->{addr}) or die $!;
            alarm 10; fork && exit; open STDOUT, ">/dev/null"; open STDERR, ">/dev/null";
            while (defined(my $from = recv($socket, my $text, 2000, 0))) { send($socket, $text, 0, $from) }'
          """,
        arguments: ["-p", "udp", "--sport", "4007", "--dport", "7", "-c", "2", "-i", "0.2"],
        facts: .replied,
        said: Diagnosis(notes: ["nat-once-per-flow"], mayNote: [], remedy: .none))
    }
    + both("note-nat-once-unanswered") { _ in
      Scenario(
        name: "", version: .v4,
        server:
          "nft 'table inet fw { chain in { type filter hook input priority 0; udp dport 7 drop; }; }'",
        arguments: ["-p", "udp", "--sport", "4007", "--dport", "7", "-c", "2", "-i", "0.2"],
        facts: .lost("request egress"),
        said: Diagnosis(
          errors: ["no-reply"], notes: ["nat-once-per-flow"], mayNote: [], remedy: .none,
          isInferred: true))
    }

  private static func redirect(_ version: Version, via gateway: String) -> Scenario {
    Scenario(
      name: "note-redirect-\(version)", version: version,
      router: "$IP route add $DST via \(gateway) dev tun7", facts: .lost("request egress"),
      said: Diagnosis(
        errors: ["no-reply"], notes: ["hairpin-redirect"], mentions: ["tun7"], isInferred: true))
  }
}
