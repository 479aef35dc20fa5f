extension Scenario {
  /// A reply comes, and a note explains what the user sees.
  static let notes: [Scenario] =
    both("note-nat-once") { _ in
      // The second probe of the flow.
      Scenario(
        name: "", version: .v4, arguments: ["-c", "2", "-i", "0"], facts: .replied,
        said: Diagnosis(notes: ["nat-once-per-flow"], remedy: .none))
    }
    + [
      Scenario(
        name: "note-fragmented-v4", version: .v4, router: "ip link set up0 mtu 1000",
        server: "ip link set up0 mtu 1000", arguments: ["--size", "1200"], facts: .replied,
        said: Diagnosis(notes: ["fragmented"], remedy: .none))
    ]
    // Sent back to where it came from, where nobody is.
    + both("note-redirect") { _ in
      Scenario(
        name: "", version: .v4, router: "$IP route add $DST via $SRC0 dev tun7",
        facts: .lost("request egress"),
        said: Diagnosis(
          errors: ["no-reply"], notes: ["hairpin-redirect"], mentions: ["tun7"], isInferred: true))
    }
    + both("note-mixed-backends") { _ in
      Scenario(
        name: "", version: .v4, nat: .nft, router: "$LEG -A FORWARD -s $FOREIGN -j DROP",
        facts: .replied, said: Diagnosis(mayNote: ["nat-once-per-flow", "mixed-backends"]))
    }
}
