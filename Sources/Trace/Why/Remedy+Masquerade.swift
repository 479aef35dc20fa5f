internal import Wire

extension Remedy {
  /// The rule that translates what comes from `subnet`, in the words of the ruleset that is there.
  static func masquerade(
    _ lost: LostPacket, from subnet: Prefix, device: String
  ) throws(Word.Unspeakable) -> Command {
    let chains = lost.snapshot.baseChains
    let family = lost.version == 4 ? NFProto.ipv4 : NFProto.ipv6
    let nat = chains.filter {
      $0.type == "nat" && $0.hook == .postrouting
        && ($0.family == family || $0.family == NFProto.inet)
    }.min { ($0.family, $0.table, $0.name) < ($1.family, $1.table, $1.name) }
    let source = RoutingWords.word(subnet)
    guard lost.snapshot.usesNFT else {
      let legacy: Command = lost.header?.legacyNAT[lost.version] != nil ? "-legacy" : ""
      let device = try Word.device(device, for: "iptables")
      return
        "\(lost.iptables)\(legacy) -t nat -A POSTROUTING -s \(source) -o \(device) -j MASQUERADE"
    }
    let ip: Command = lost.version == 4 ? "ip" : "ip6"
    let match: Command =
      "\(ip) saddr \(source) oifname \(try Word.nftDevice(device)) masquerade"
    if let chain = nat {
      let place = try Remedy.place(chain.family, chain.table, chain.name)
      return "nft add rule \(place) \(match.quoted)"
    }
    return "nft add table \(ip) nat && nft add chain \(ip) nat postrouting "
      + "'{ type nat hook postrouting priority srcnat; }' && nft add rule \(ip) nat postrouting "
      + match.quoted
  }
}
