internal import Wire

/// What to do about a rule that a program made, in the words of that program: what is put into its chains by
/// hand does not last.
struct OwnerRemedy {
  let ruling: Ruling
  let owner: Owner

  init(_ ruling: Ruling, _ owner: Owner) {
    self.ruling = ruling
    self.owner = owner
  }

  var lost: LostPacket { ruling.lost }
  var packet: Packet { lost.packet }
  var hook: Hook? { lost.journey.places.last?.point.hook }
  /// The names of the chains on the way to the rule, the rule's own last.
  var chains: [String] { ruling.path.map(\.chain) + [ruling.step.chain] }
  /// Where the service is: the port that it was asked at, of a packet or its answer.
  var port: UInt16? {
    guard packet.proto == .tcp || packet.proto == .udp else { return nil }
    return lost.isReply ? packet.sourcePort : packet.destinationPort
  }

  /// The command; nil where none is right, or the program has none.
  var command: Command? {
    get throws(Word.Unspeakable) {
      switch owner {
      case .ufw: try ufw
      case .firewalld: try firewalld
      case .docker where isGuardOfContainer || isInternal: nil
      case .docker: try docker
      case .fail2ban: try fail2ban
      case .shorewall: try shorewall
      case .openWrt: try openWrt
      case .libvirt: try libvirt
      case .podman, .cni, .kubeRouter, .kubeProxy, .calico, .cilium, .flannel, .lxd,
        .incus, .crowdSec, .tailscale, .nixOS, .vyOS, .wgQuick, .proxmox, .networkd, .sshguard,
        .mullvad, .networkManager, .istio, .netBird, .neutron, .weave, .openVPNAccessServer,
        .nordVPN, .mwan3, .keepalived:
        nil
      case .csf: csf
      }
    }
  }

  /// Where the program is told otherwise, where that is no command for a shell.
  var advice: String? {
    if ruling.saysTruth {
      return ruling.step.text?.contains("no local endpoints") == true
        ? "it says that no endpoint of the service is on this node, and the service takes no others "
          + "(externalTrafficPolicy or internalTrafficPolicy: Local)"
        : "it says that nothing is behind this address"
    }
    if ruling.checksReversePath, let words = reversePath { return words }
    switch owner {
    case .podman: return podman
    case .cni where chains.contains { $0.hasPrefix("CNI-ISOLATION-") }:
      return "its networks are isolated from each other"
    case .kubeProxy where isGuardOfService:
      return "\(packet.source) is in none of the service's loadBalancerSourceRanges"
    case .kubeProxy, .cni, .flannel: return "look at the service and its endpoints"
    case .kubeRouter, .calico, .cilium, .weave:
      return "look at the network policies that apply to \(workload)"
    case .netBird: return "see the access policies of the network, in its management"
    case .neutron:
      return "see the security groups of the port: 'openstack security group rule list'"
    case .openVPNAccessServer: return "see the access control of its users and groups"
    case .nordVPN: return "see 'nordvpn settings': its kill switch, firewall and allowlist"
    case .mwan3: return Owner.mwan3.adviceOnRouting
    case .keepalived:
      return
        "with vrrp_strict or no_accept it takes nothing for its virtual addresses: see keepalived.conf"
    case .libvirt where libvirtJump != nil:
      return
        "its networks take what their forward mode allows (virsh net-edit), and it puts its jumps first when it starts "
        + "one: what is to stand before them belongs into /etc/libvirt/hooks/network"
    case .libvirt: return "its networks take what their forward mode allows (virsh net-edit)"
    case .lxd: return "see 'lxc network set' for ipv4.firewall and the network's ACLs"
    case .incus: return "see 'incus network set' for ipv4.firewall and the network's ACLs"
    case .crowdSec: return "see 'cscli decisions list'"
    case .tailscale
    where ruling.step.text.map { $0.contains("100.64.0.0/10") && $0.contains("tailscale0") }
      ?? false:
      return
        "it takes 100.64.0.0/10 for the tailnet's own, from wherever else it comes: see 'tailscale set "
        + "--netfilter-mode=nodivert'"
    case .tailscale:
      return "see 'tailscale set --shields-up', --netfilter-mode and the tailnet's access rules"
    case .nixOS where chains.contains { $0.hasPrefix("nixos-fw-rpfilter") }:
      return "set networking.firewall.checkReversePath = \"loose\" in configuration.nix"
    case .nixOS: return "open it under networking.firewall in configuration.nix"
    case .vyOS: return "change it in configuration mode, under 'set firewall'"
    case .wgQuick: return "it keeps packets from going past the tunnel"
    case .proxmox: return ruling.step.adviceOnHardware(of: chains) ?? proxmox
    case .csf where chains.contains("DENYIN") || chains.contains("DENYOUT"):
      return "it has the address in its list, or its login failure daemon blocked it"
    case .csf: return "what it lets in stands in /etc/csf/csf.conf (TCP_IN, TCP6_IN, UDP_IN)"
    case .sshguard:
      return "it blocked the address for failed logins; its whitelist is where that is prevented"
    case .mullvad:
      return "it lets nothing past its tunnel: see 'mullvad lockdown-mode' and 'mullvad lan'"
    case .networkManager:
      return "it is made for a connection with ipv4.method shared: see 'nmcli connection'"
    case .istio: return "it hands connections to the sidecar proxy"
    case .networkd: return "see the .network files"
    case .ufw where port == nil && packet.proto.isICMP:
      return "it lets ICMP through in before.rules"
    case .firewalld where ruling.step.chain.hasSuffix("_deny"):
      return
        "a rich rule or an ICMP block of its zone or policy says so: see 'firewall-cmd --list-all-zones'"
    case .docker: return dockerAdvice
    case .shorewall: return shorewallAdvice
    case .openWrt where namedRule != nil:
      return "its rule \(Escape.text(namedRule ?? ""))"
    case .openWrt where openWrtAdvice != nil: return openWrtAdvice
    case .ufw, .firewalld, .fail2ban, .openWrt: return nil
    }
  }

  /// Where the program is told not to check whether there is a way back to the source.
  private var reversePath: String? {
    switch owner {
    case .firewalld:
      "it checks the way back to the source: see IPv6_rpfilter in /etc/firewalld/firewalld.conf"
    case .calico:
      "a workload may send from its own addresses alone: see the annotation "
        + "cni.projectcalico.org/allowedSourcePrefixes"
    default: nil
    }
  }

  /// Whose policies decide: of the end that is a workload here, by the chain that its packets meet, or the interface that
  /// it is behind; otherwise of who is asked.
  private var workload: IPAddress {
    let isSource =
      chains.contains { ["cali-fw-", "cali-from-wl"].contains(where: $0.hasPrefix) }
      || !chains.contains { ["cali-tw-", "cali-to-wl"].contains(where: $0.hasPrefix) }
        && ["lxc", "cali"].contains { lost.inDevice?.hasPrefix($0) == true }
    return isSource ? packet.source : packet.destination
  }

  /// Whether the rule keeps those from a service of Kubernetes whom its loadBalancerSourceRanges leave out.
  private var isGuardOfService: Bool {
    ruling.step.text?.contains("not accepted by KUBE-FW-") == true
      || ["KUBE-SOURCE-RANGES-FIREWALL", "firewall-"].contains { ruling.step.chain.hasPrefix($0) }
  }

  /// The file that has the rules of the guest, and what to write there.
  private var proxmox: String {
    guard let chain = chains.last(where: { Owner.guest($0) != nil }),
      let guest = Owner.guest(chain)
    else { return "see the firewall of the datacenter, the node and the guest" }
    let way = chain.hasSuffix("-OUT") ? "OUT" : "IN"
    let ports = port.map { " -dport \($0)" } ?? ""
    let rule =
      "\(way) ACCEPT -source \(packet.source) -dest \(packet.destination) -p \(packet.proto)\(ports)"
    return lost.isReply
      ? "see /etc/pve/firewall/\(guest).fw"
      : "write '\(rule)' under [RULES] in /etc/pve/firewall/\(guest).fw"
  }

  /// Takes the address off the list of those that are blocked.
  private var csf: Command? {
    let list = chains.contains { $0 == "DENYIN" || $0 == "DENYOUT" }
    return list && !lost.isReply ? "csf -dr \(packet.source)" : nil
  }

  /// "proto tcp", and the port if there is one, behind the addresses.
  private var ufw: Command? {
    get throws(Word.Unspeakable) {
      guard !packet.proto.isICMP, !lost.isReply else { return nil }
      let ends: Command =
        "from \(packet.source) to \(packet.destination)"
        + (port.map { " port \($0)" } ?? "") + " proto \(packet.proto)"
      // A rule of its own list has to be overtaken.
      let isListed = chains.contains { $0.contains("-user-") }
      let first: Command = isListed ? "insert 1 " : ""
      switch hook {
      case .forward:
        guard let input = lost.inDevice, let output = lost.outDevice else { return nil }
        return "ufw route \(first)allow in on \(try Word.device(input)) out on "
          + "\(try Word.device(output)) \(ends)"
      case .input:
        guard let input = lost.inDevice else { return nil }
        return "ufw \(first)allow in on \(try Word.device(input)) \(ends)"
      case .output:
        guard let output = lost.outDevice else { return nil }
        return "ufw \(first)allow out on \(try Word.device(output)) \(ends)"
      default: return nil
      }
    }
  }

  // MARK: firewalld

  private var firewalld: Command? {
    get throws(Word.Unspeakable) {
      if ruling.step.table == "firewalld_policy_drop" { return "firewall-cmd --panic-off" }
      // What denies is asked before what allows.
      if ruling.step.chain.hasSuffix("_deny") { return nil }
      if let policy = policyNamed { return try firewalld(opening: policy) }
      guard !lost.isReply, let inner = zone(named: chains) ?? zoneMet else { return nil }
      let opened: Command =
        port.map { "--add-port=\($0)/\(packet.proto)" }
        ?? "--add-protocol=\(packet.proto)"
      let set: Command = "firewall-cmd --permanent"
      let from = try Word.iptables(chain: inner)
      guard hook == .forward else {
        return hook == .input
          ? "\(set) --zone=\(from) \(opened) && firewall-cmd --reload" : nil
      }
      guard let device = lost.outDevice else { return nil }
      var to: Command = "$(firewall-cmd --get-zone-of-interface=\(try Word.device(device)))"
      let outer = zone(of: device)
      if let outer { to = "\(try Word.iptables(chain: outer))" }
      let name = try Word.iptables(chain: String("\(inner)-\(outer ?? "out")".prefix(17)))
      return "\(set) --new-policy=\(name) && \(set) --policy=\(name) --add-ingress-zone=\(from) && "
        + "\(set) --policy=\(name) --add-egress-zone=\(to) && \(set) --policy=\(name) \(opened) && "
        + "firewall-cmd --reload"
    }
  }

  /// The policy whose chains had the packet: "noegress" of "filter_OUT_policy_noegress".
  private var policyNamed: String? {
    lost.isReply
      ? nil
      : zone(named: chains).flatMap { $0.hasPrefix("policy_") ? String($0.dropFirst(7)) : nil }
  }

  /// Has a policy of firewalld's let it through.
  private func firewalld(opening policy: String) throws(Word.Unspeakable) -> Command {
    let opened: Command =
      port.map { "--add-port=\($0)/\(packet.proto)" } ?? "--add-protocol=\(packet.proto)"
    return
      "firewall-cmd --permanent --policy=\(try Word.iptables(chain: policy)) \(opened) && firewall-cmd --reload"
  }

  /// The zone that a chain is for: "internal" of "filter_FWD_internal_deny", "public" of "IN_public".
  private func zone(named chains: [String]) -> String? {
    let marks = ["FWD_", "FWDI_", "FWDO_", "IN_", "OUT_"]
    let ends = ["_pre", "_log", "_deny", "_allow", "_post"]
    for chain in chains {
      let name = chain.hasPrefix("filter_") ? String(chain.dropFirst(7)) : chain
      guard let mark = marks.first(where: { name.hasPrefix($0) }) else { continue }
      let zone = String(name.dropFirst(mark.count))
      guard !["ZONES", "POLICIES_pre", "POLICIES_post"].contains(zone) else { continue }
      return ends.first { zone.hasSuffix($0) }.map { String(zone.dropLast($0.count)) } ?? zone
    }
    return nil
  }

  /// The zone whose chains the packet met before it came back to the one that ended its way.
  private var zoneMet: String? {
    let met = lost.journey.way.rules.filter {
      $0.family == ruling.step.family && $0.table == ruling.step.table
    }
    return zone(
      named: met.flatMap { [$0.chain] + ($0.target.map { [$0] } ?? []) }
        .filter { $0.contains(hook == .forward ? "FWD" : hook == .output ? "OUT_" : "IN_") })
  }

  /// The zone of an interface, as the chain that leads to the zones has it.
  private func zone(of device: String) -> String? {
    guard let step = ruling.path.first(where: { $0.chain.hasSuffix("_ZONES") }) else { return nil }
    let rules = lost.snapshot.texts(ofChainOf: step)
    guard let rule = rules.first(where: { $0.contains("\"\(device)\"") }),
      let target = rule.split(separator: " ").last
    else { return nil }
    return zone(named: [String(target)])
  }

  // MARK: Others

  /// The jail has the name of its chain, or of its set: of nftables' or of ipset's.
  private var fail2ban: Command? {
    get throws(Word.Unspeakable) {
      guard !lost.isReply else { return nil }
      let words = (ruling.step.text ?? "").split(whereSeparator: { " {}".contains($0) })
      let names = chains.reversed() + IPSet.names(in: ruling.step)
      var jail = names.first { $0.hasPrefix("f2b-") }.map { String($0.dropFirst(4)) }
      if let word = words.first(where: {
        $0.hasPrefix("@addr-set-") || $0.hasPrefix("@addr6-set-")
      }) {
        jail = word.firstRange(of: "-set-").map { String(word[$0.upperBound...]) }
      } else if lost.version == 6, let name = jail, name.hasSuffix("6"),
        IPSet.names(in: ruling.step).contains("f2b-\(name)")
      {
        // Sets of ipset are of one IP version, and it calls those of the other so.
        jail = String(name.dropLast())
      }
      guard let jail, jail != "chain" else { return nil }
      return "fail2ban-client set \(try Word.iptables(chain: jail)) unbanip \(packet.source)"
    }
  }

  /// What a rule of its user is called, which sent the packet to where it ended: by its name, or its place in the list.
  private var namedRule: String? {
    (ruling.path + [ruling.step]).lazy.compactMap { step -> String? in
      guard ["input_", "forward_", "output_"].contains(where: step.chain.hasPrefix),
        let text = step.text, let mark = text.firstRange(of: "comment \"!fw4: ")
      else { return nil }
      let name = String(text[mark.upperBound...].prefix { $0 != "\"" })
      // What it writes beside rules of its own.
      let isOwn = ["traffic", "forwarding", "leakage", "forwards", "redirections"]
        .contains { name.hasSuffix($0) }
      return isOwn ? nil : name
    }.last
  }

  /// The zones that a packet came from and was to go to, by the chains that had it: of a rule's own, or those that it passed
  /// before the rule that refuses all the rest. `isOutKnown` is whether the zones of all interfaces are known.
  private var openWrtZones: (from: String?, to: String?, isOutKnown: Bool) {
    let names = ["forward_", "input_"]
    func zone(_ chain: String) -> String? {
      names.first { chain.hasPrefix($0) }.map { String(chain.dropFirst($0.count)) }
    }
    let from = chains.lazy.compactMap(zone).first ?? ruling.chainsMet.lazy.compactMap(zone).last
    let named = chains.lazy.compactMap { chain in
      chain.firstRange(of: "_to_").map { String(chain[$0.upperBound...]) }
    }.first
    // Where what goes back to its own zone is refused, the chain is called by that.
    let base = lost.journey.way.rules.first {
      $0.family == ruling.step.family && $0.table == ruling.step.table && $0.chain == "forward"
    }
    let texts = base.map { lost.snapshot.texts(ofChainOf: $0) } ?? []
    let led = lost.outDevice.flatMap { device in
      texts.first { $0.contains("iifname \"\(device)\"") || $0.contains("\"\(device)\",") }?
        .split(separator: " ").map(String.init).lazy.compactMap(zone).first
    }
    return (from, led ?? named, !texts.isEmpty)
  }

  /// What keeps the zones apart, in words.
  private var openWrtAdvice: String? {
    guard hook == .forward, !lost.isReply, case let zones = openWrtZones, let from = zones.from
    else { return nil }
    if let to = zones.to {
      return "nobody forwards from its zone \(Escape.name(from)) to \(Escape.name(to))"
    }
    guard zones.isOutKnown, let device = lost.outDevice else { return nil }
    return
      "\(Escape.name(device)) is in none of its zones, so that \(Escape.name(from)) is forwarded nowhere there: "
      + "give its network a zone in /etc/config/firewall"
  }

  /// Switches a rule of the user's off: what is added comes behind it.
  private func openWrt(without name: String) throws(Word.Unspeakable) -> Command {
    let section: Command
    if name.hasPrefix("@rule["), name.hasSuffix("]"),
      let number = UInt16(name.dropFirst(6).dropLast())
    {
      section = "@rule[\(number)]"
    } else {
      let word = try Word.iptables(chain: name)
      section = "$(uci show firewall | grep -F .name=\\'\(word)\\' | cut -d. -f2)"
    }
    return "uci set firewall.\(section).enabled=0 && uci commit firewall && service firewall reload"
  }

  /// Its chains are named by what they do and a zone: "forward_lan", "reject_to_wan".
  private var openWrt: Command? {
    get throws(Word.Unspeakable) {
      if let namedRule { return try openWrt(without: namedRule) }
      guard !lost.isReply, hook == .forward || hook == .input else { return nil }
      guard let from = openWrtZones.from else { return nil }
      // What is in no zone nobody leads anything to.
      if hook == .forward, openWrtZones.to == nil, openWrtZones.isOutKnown { return nil }
      let to = openWrtZones.to
      let set: Command = "uci set firewall.@rule[-1]"
      var steps: [Command] = [
        "uci add firewall rule", "\(set).src=\(try Word.iptables(chain: from))",
        "\(set).src_ip=\(packet.source)", "\(set).dest_ip=\(packet.destination)",
        "\(set).proto=\(packet.proto)",
      ]
      if hook == .forward {
        var zone = Word.everyZone
        if let to { zone = try Word.iptables(chain: to) }
        steps.append("\(set).dest=\(zone)")
      }
      if let port { steps.append("\(set).dest_port=\(port)") }
      return (steps + ["\(set).target=ACCEPT", "uci commit firewall", "service firewall reload"])
        .joined(separator: " && ")
    }
  }
}
