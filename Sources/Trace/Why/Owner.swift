/// A program that makes rules of its own: whose a chain is, its name tells. What is changed in such a chain
/// by hand is gone when the program loads its rules again.
package enum Owner: String, Sendable, CaseIterable {
  case ufw
  case firewalld
  case docker = "Docker"
  case podman = "Podman"
  case cni = "CNI"
  case kubeRouter = "kube-router"
  case kubeProxy = "Kubernetes"
  case calico = "Calico"
  case cilium = "Cilium"
  case flannel
  case libvirt
  case lxd = "LXD"
  case incus = "Incus"
  case shorewall = "Shorewall"
  case fail2ban
  case crowdSec = "CrowdSec"
  case openWrt = "OpenWrt"
  case tailscale = "Tailscale"
  case nixOS = "NixOS"
  case vyOS = "VyOS"
  case wgQuick = "wg-quick"
  case proxmox = "Proxmox"
  case networkd = "systemd-networkd"
  case csf = "CSF"
  case sshguard
  case mullvad = "Mullvad"
  case networkManager = "NetworkManager"
  case istio = "Istio"
  case netBird = "NetBird"
  case neutron = "OpenStack Neutron"
  case weave = "Weave Net"
  case openVPNAccessServer = "OpenVPN Access Server"
  case nordVPN = "NordVPN"
  case mwan3
  case keepalived

  /// Whose a chain is; nil for a chain of the user's.
  init?(table: String, chain: String) {
    for owner in Self.allCases where owner.owns(table: table, chain: chain) {
      self = owner
      return
    }
    return nil
  }

  /// Whose a rule is: its chain says it, or what the program writes beside each of its rules.
  init?(_ step: RuleStep) {
    if let owner = Owner(table: step.table, chain: step.chain) {
      self = owner
      return
    }
    for name in IPSet.names(in: step) {
      guard let owner = Self.sets.first(where: { name.hasPrefix($0.prefix) })?.owner else {
        continue
      }
      self = owner
      return
    }
    guard let text = step.text,
      let owner = Self.comments.first(where: { text.contains($0.comment) })?.owner
    else { return nil }
    self = owner
  }

  /// How the sets of ipset begin that a program fills, for a rule in a chain that is nobody's.
  private static let sets: [(prefix: String, owner: Owner)] = [
    ("f2b-", .fail2ban), ("fail2ban-", .fail2ban), ("crowdsec", .crowdSec), ("cali40", .calico),
    ("cali60", .calico), ("KUBE-", .kubeProxy), ("kube-router-", .kubeRouter),
    ("PVEFW-", .proxmox), ("weave-", .weave), ("chain_DENY", .csf), ("chain_6_DENY", .csf),
    ("sshguard", .sshguard), ("keepalived", .keepalived),
  ]

  private static let comments: [(comment: String, owner: Owner)] = [
    ("generated for LXD network", .lxd), ("generated for Incus network", .incus),
    ("wg-quick(8) rule", .wgQuick), ("--comment nordvpn", .nordVPN), ("!fw4:", .openWrt),
    ("!fw3", .openWrt),
  ]

  private func owns(table: String, chain: String) -> Bool {
    func begins(_ prefixes: String...) -> Bool { prefixes.contains { chain.hasPrefix($0) } }
    func isTable(_ prefixes: String...) -> Bool {
      prefixes.contains { table == $0 || table.hasPrefix($0 + "-") || table.hasPrefix($0 + "_") }
    }
    let isIPTables = ["filter", "nat", "mangle", "raw", "security"].contains(table)
    return switch self {
    case .ufw: begins("ufw-", "ufw6-")
    case .firewalld:
      isTable("firewalld") || begins("FWDI_", "FWDO_", "IN_", "OUT_")
        || ["_direct", "_ZONES", "_IN_ZONES", "_OUT_ZONES", "_POLICIES_pre"].contains {
          chain.hasSuffix($0)
        }
    case .docker: isIPTables && begins("DOCKER") || isTable("docker")
    case .podman: begins("NETAVARK") || isTable("netavark")
    case .cni: begins("CNI-")
    case .kubeRouter: begins("KUBE-ROUTER-", "KUBE-POD-FW-", "KUBE-NWPLCY-")
    case .kubeProxy: begins("KUBE-") || isTable("kube-proxy")
    case .calico: begins("cali-") || isTable("calico")
    case .cilium: begins("CILIUM_", "OLD_CILIUM_")
    case .flannel: begins("FLANNEL-") || isTable("flannel")
    case .libvirt: begins("LIBVIRT_") || isTable("libvirt")
    case .lxd: isTable("lxd")
    case .incus: isTable("incus")
    case .shorewall:
      begins("sha-lh-", "~log") || ["shorewall", "sfilter", "smurfs"].contains(chain)
    case .fail2ban: begins("f2b-", "fail2ban-") || isTable("f2b-table")
    case .crowdSec: isTable("crowdsec", "crowdsec6") || begins("CROWDSEC")
    case .openWrt: table == "fw4" || begins("zone_wan_", "zone_lan_", "delegate_")
    case .tailscale: begins("ts-") || isTable("tailscale")
    case .nixOS: begins("nixos-fw", "nixos-nat-", "nixos-filter-") || isTable("nixos-fw")
    case .vyOS: isTable("vyos") || begins("VYOS_")
    case .wgQuick: isTable("wg-quick")
    case .proxmox: begins("PVEFW-") || isTable("proxmox-firewall") || Self.isOfGuest(chain)
    case .networkd: isTable("io.systemd.nat")
    case .csf:
      isIPTables
        && [
          "DENYIN", "DENYOUT", "ALLOWIN", "ALLOWOUT", "LOCALINPUT", "LOCALOUTPUT", "LOGDROPIN",
          "LOGDROPOUT",
        ].contains(chain)
    case .sshguard: isTable("sshguard") || chain == "sshguard"
    case .mullvad: isTable("mullvad")
    case .networkManager: isTable("nm-shared") || begins("nm-sh-fw-", "nm-sh-in-")
    case .istio: begins("ISTIO_") || isTable("istio")
    case .netBird: begins("NETBIRD-", "netbird-") || isTable("netbird")
    case .neutron: begins("neutron-")
    case .weave: begins("WEAVE-")
    case .openVPNAccessServer: begins("AS0_")
    case .nordVPN: isTable("nordvpn") || begins("NORDVPN")
    case .mwan3: begins("mwan3_") || isTable("mwan3")
    case .keepalived: isTable("keepalived")
    }
  }

  /// Whether a chain is one of those that Proxmox has for the interface of a guest: "tap100i0-IN".
  private static func isOfGuest(_ chain: String) -> Bool { guest(chain) != nil }

  /// The number of the guest that such a chain is for.
  static func guest(_ chain: String) -> String? {
    guard let prefix = ["tap", "veth"].first(where: { chain.hasPrefix($0) }),
      ["-IN", "-OUT"].contains(where: { chain.hasSuffix($0) })
    else { return nil }
    let number = chain.dropFirst(prefix.count).prefix { $0.isASCII && $0.isNumber }
    let rest = chain.dropFirst(prefix.count + number.count)
    guard !number.isEmpty, rest.hasPrefix("i"), rest.dropFirst().first?.isNumber == true else {
      return nil
    }
    return String(number)
  }
}
