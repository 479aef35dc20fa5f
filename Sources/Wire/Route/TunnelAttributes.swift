/// Where a tunnel's packets go, as far as the interface itself says it: `IFLA_VXLAN_…` and `IFLA_GENEVE_…` of <linux/if_link.h>,
/// `IFLA_GRE_…` and `IFLA_IPTUN_…` of <linux/if_tunnel.h>.
package struct TunnelAttributes: Sendable, Equatable {
  /// The other end; nil where there are several, or a table knows them.
  package var remote: IPAddress?
  /// The UDP port to which they go; nil for tunnels that are protocols of their own.
  package var port: UInt16?
  /// The protocol that carries them.
  package var proto: IPProtocol

  /// nil for interfaces of other kinds.
  init?(kind: String?, _ data: RouteAttributes) {
    /// The first of these attributes that is an address.
    func address(_ types: UInt16...) -> IPAddress? {
      types.lazy.compactMap { data.all[type: $0].flatMap { IPAddress(bytes: $0.value) } }
        .first { !$0.isUnspecified && !$0.isMulticast }
    }
    func port(_ type: UInt16) -> UInt16? {
      data.all[type: type].flatMap { $0.value.count == 2 ? $0.value.number(at: 0) : nil }
    }
    switch kind {
    case "vxlan": (proto, remote, self.port) = (.udp, address(2, 16), port(15))
    case "geneve": (proto, remote, self.port) = (.udp, address(2, 7), port(5))
    case "gre", "gretap", "ip6gre", "ip6gretap": (proto, remote) = (.gre, address(7))
    case "ipip": (proto, remote) = (IPProtocol(rawValue: 4), address(3))
    case "sit": (proto, remote) = (IPProtocol(rawValue: 41), address(3))
    default: return nil
    }
  }
}
