internal import Wire

/// What to do about rules that keep containers apart, or from the world.
extension OwnerRemedy {
  /// Whether the rule is Docker's against packets for a container's own address.
  var isGuardOfContainer: Bool { ruling.step.table == "raw" }

  /// Whether the rule says that a network of Docker's is internal: nothing leaves it, and nothing comes into it.
  var isInternal: Bool {
    guard owner == .docker, let text = ruling.step.text else { return false }
    if text.contains("INTERNAL NETWORK") || ruling.step.chain == "DOCKER-INTERNAL" { return true }
    let conditions = " \(text) "
    return ["-s", "-d"].contains { conditions.contains(" ! \($0) ") }
      && [" -i ", " -o "].contains { conditions.contains($0) } && text.hasSuffix("-j DROP")
  }

  /// The bridge whose containers may not reach each other; nil where the rule is another.
  private var closedBridge: String? { ruling.step.bridgeWithin }

  /// What the rule is for, and how it is told otherwise.
  var dockerAdvice: String? {
    if isGuardOfContainer {
      return
        "since Docker 28 containers are not reached by their own address from outside: publish the port, or give "
        + "the network the gateway mode nat-unprotected"
    }
    if isInternal {
      return
        "the network is internal, and has no way in or out: connect the container to another one as well, by "
        + "'docker network connect NETWORK CONTAINER'"
    }
    if let bridge = closedBridge {
      return
        "containers of \(Escape.name(bridge)) may not reach each other (icc=false): connect both to a network of "
        + "their own, by 'docker network connect NETWORK CONTAINER'"
    }
    return nil
  }

  /// The networks that Podman keeps apart are known by their bridges.
  var podman: String {
    "its networks are isolated from each other: connect the container to the other one as well, by "
      + "'podman network connect NETWORK CONTAINER'"
  }

  /// The chain that Docker leaves to its users, and asks first.
  var docker: Command? {
    get throws(Word.Unspeakable) {
      let key = Snapshot.ChainKey(
        family: ruling.step.family, table: ruling.step.table, chain: "DOCKER-USER")
      guard hook == .forward,
        lost.snapshot.chains[key] != nil || ruling.chainsMet.contains("DOCKER-USER")
      else { return nil }
      let insert: Command = "\(try Remedy.program(lost, ruling.step)) -I DOCKER-USER"
      let accept = try dockerPacket
      if lost.isReply || RulesBeside(ruling).acceptAnswer { return accept }
      return "\(accept) && \(insert) \(Remedy.iptablesMatch(packet.answer, isReply: true)) "
        + "\(Remedy.established(.iptables)) -j ACCEPT"
    }
  }

  /// Lets the packet alone pass there.
  private var dockerPacket: Command {
    get throws(Word.Unspeakable) {
      let match = Remedy.iptablesMatch(packet, isReply: lost.isReply)
      return "\(try Remedy.program(lost, ruling.step)) -I DOCKER-USER \(match) -j ACCEPT"
    }
  }

  /// The rule that leads to libvirt's chains in FORWARD, which is a chain of all.
  var libvirtJump: RuleStep? {
    guard hook == .forward, !lost.isReply, let jump = ruling.path.first, jump.chain == "FORWARD"
    else { return nil }
    return jump
  }

  /// Lets the packet pass before libvirt's chains.
  var libvirt: Command? {
    get throws(Word.Unspeakable) {
      guard let jump = libvirtJump else { return nil }
      return try Remedy.accept(lost, before: jump)
    }
  }

  /// What may do as well, the narrowest first: Docker lets answers of known connections pass itself, in chains that the packet
  /// need not have met.
  var alternatives: [Command?] {
    guard owner == .docker, let command = try? command else { return [] }
    return [try? dockerPacket, command]
  }
}

extension RuleStep {
  /// Where Proxmox is told not to look at a guest's link-layer addresses, if this is its rule that does so; `chains` are
  /// those by which it was reached.
  func adviceOnHardware(of chains: [String]) -> String? {
    let isHardware =
      text.map { text in
        text.contains("ether saddr !=") || " \(text)".contains(" ! --mac-source")
      } ?? false
    guard isHardware,
      let guest = (chains + [chain]).reversed().lazy.compactMap({ Owner.guest($0) }).first
    else { return nil }
    return
      "it lets a guest send from the link-layer address of its configuration alone: 'macfilter: 0' under [OPTIONS] in "
      + "/etc/pve/firewall/\(guest).fw lifts that"
  }

  /// The interface for which the rule drops what comes in by it and leaves by it again: a bridge; nil where it is
  /// another rule.
  var bridgeWithin: String? {
    guard let text, text.hasSuffix("DROP") || text.contains(" drop") else { return nil }
    let words = text.split(separator: " ").map { $0.filter { $0 != "\"" } }
    func after(_ names: Set<String>) -> String? {
      zip(words, words.dropFirst()).first { names.contains($0.0) && $0.1 != "!=" }?.1
    }
    guard !words.contains("!"), let input = after(["-i", "iifname"]),
      input == after(["-o", "oifname"])
    else { return nil }
    return input
  }
}
