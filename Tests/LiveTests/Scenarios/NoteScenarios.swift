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
    + both("note-mixed-backends") { _ in
      Scenario(
        name: "", version: .v4, nat: .nft, router: "$LEG -A FORWARD -s $FOREIGN -j DROP",
        facts: .replied, said: Diagnosis(mayNote: ["nat-once-per-flow", "mixed-backends"]))
    }

  private static func redirect(_ version: Version, via gateway: String) -> Scenario {
    Scenario(
      name: "note-redirect-\(version)", version: version,
      router: "$IP route add $DST via \(gateway) dev tun7", facts: .lost("request egress"),
      said: Diagnosis(
        errors: ["no-reply"], notes: ["hairpin-redirect"], mentions: ["tun7"], isInferred: true))
  }
}
