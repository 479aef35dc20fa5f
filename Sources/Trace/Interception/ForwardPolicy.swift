package import Wire

/// Whether a firewall lets through what an interception gives back: that comes in by its device, to be forwarded.
package enum ForwardPolicy {
  /// What is to be said of chains that drop what no rule of theirs accepts. Of these IP versions there are packets.
  package static func remarks(
    _ chains: [ChainMessage], versions: Set<Int>, device: String
  ) -> [String] {
    let families = versions.map { $0 == 4 ? NFProto.ipv4 : NFProto.ipv6 } + [NFProto.inet]
    return chains.filter {
      $0.hook == .forward && $0.policy == .drop && families.contains($0.family)
    }.map { chain in
      let place =
        "chain \(Escape.name(chain.name)) (\(NFProto.name(chain.family)) \(Escape.name(chain.table)))"
      let help = (try? accept(chain, among: chains, device)).map {
        "; to let them pass: \($0.text)"
      }
      return
        "the packets come back through FORWARD, where the policy of \(place) is drop: they are lost unless a rule of "
        + "it accepts what comes in by \(device)" + (help ?? "")
    }
  }

  private static func accept(
    _ chain: ChainMessage, among chains: [ChainMessage], _ device: String
  ) throws(Word.Unspeakable) -> Command {
    guard !TableName(chain.family, chain.table).isIPTables(among: chains) else {
      let program: Command = chain.family == NFProto.ipv6 ? "ip6tables" : "iptables"
      let name = try Word.iptables(chain: chain.name)
      return "\(program) -I \(name) -i \(try Word.device(device, for: "iptables")) -j ACCEPT"
    }
    let place = try Remedy.place(chain.family, chain.table, chain.name)
    return
      "nft insert rule \(place) iifname \(("\(try Word.nftDevice(device))" as Command).quoted) accept"
  }
}
