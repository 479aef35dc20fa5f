/// What the kernel's reasons for a drop mean: `enum skb_drop_reason` of <net/dropreason-core.h>.
enum DropReasons {
  /// A part of a sentence on this reason; nil for one that is not known.
  static func words(_ reason: String, device: String) -> String? {
    if let words = known[reason] { return words }
    switch reason {
    case "OTHERHOST":
      return "its frame has another machine's MAC address: look at the entry for this host in 'ip "
        + "neigh' of who sent it"
    case "IPV6DISABLED": return "IPv6 is switched off on \(device): disable_ipv6"
    case "DEV_READY": return "\(device) is not ready to send: down, or without somebody to read it"
    case "FULL_RING": return "the program that reads \(device) does not keep up: its ring is full"
    case "UNICAST_IN_L2_MULTICAST":
      return
        "its frame went to a group or to all, and the packet to one host alone: look at who sends "
        + "it, and at its entry for this host in 'ip neigh'"
    default: break
    }
    if reason.hasPrefix("TCP_MD5") || reason.hasPrefix("TCP_AO") {
      return
        "its TCP signature (MD5 or AO) is missing, wrong, or not expected: both ends need one key"
    }
    if reason.hasPrefix("IPV6_NDISC") { return "it is a malformed message of neighbour discovery" }
    if reason.hasPrefix("VXLAN") { return "no VXLAN device here is for it" }
    if reason.hasPrefix("TCP_") {
      return "the TCP connection that it belongs to has no use for it"
    }
    return nil
  }

  private static let known: [String: String] = [
    "XDP": "an XDP program dropped it",
    "NO_SOCKET": "no socket is there for it",
    "SOCKET_CLOSE": "the socket that it is for was being closed",
    "SOCKET_RCVBUFF": "the receive buffer of the socket is full",
    "SOCKET_BACKLOG": "the program that has the socket is too slow: its backlog is full",
    "SOCKET_FILTER": "a filter of the socket dropped it",
    "PROTO_MEM": "the memory for all sockets of its protocol is used up",
    "PKT_TOO_SMALL": "it is shorter than its headers say",
    "HDR_TRUNC": "its headers are cut off",
    "TCP_CSUM": "its TCP checksum is wrong",
    "UDP_CSUM": "its UDP checksum is wrong",
    "ICMP_CSUM": "its ICMP checksum is wrong",
    "IP_CSUM": "the checksum of its IP header is wrong",
    "SKB_CSUM": "its checksum could not be made",
    "IP_INHDR": "its IP header is wrong, or its hops are used up",
    "IP_RPFILTER": "the reverse path filter refused its source",
    "IP_NOPROTO": "nothing here takes its IP protocol",
    "INVALID_PROTO": "its protocol, or its type, is not taken here",
    "UNHANDLED_PROTO": "nothing here takes this kind of frame",
    "XFRM_POLICY": "a policy of IPsec does not let it pass",
    "IP_INADDRERRORS": "its addresses may not be forwarded",
    "IP_INNOROUTES": "there is no route for it",
    "IP_OUTNOROUTES": "there is no route for it",
    "IP_LOCAL_SOURCE": "its source is one of this host's own addresses",
    "IP_INVALID_SOURCE": "its source is no address that a packet may come from",
    "IP_INVALID_DEST": "its destination is no address that it may go to",
    "IP_LOCALNET": "a loopback address came from outside, or is to leave",
    "PKT_TOO_BIG": "it is too big for the next link",
    "DUP_FRAG": "it is a fragment that was there already",
    "FRAG_REASM_TIMEOUT": "its other fragments did not come in time",
    "FRAG_TOO_FAR": "its other fragments are too far away",
    "TCP_INVALID_SYN":
      "a TCP connection of these addresses and ports is there already, in which a SYN has no place: ask from "
      + "another port",
    "TCP_MINTTL": "its hops are fewer than the socket asks for",
    "TCP_LISTEN_OVERFLOW": "the queue of the program that listens is full",
    "IPV6_BAD_EXTHDR": "one of its IPv6 extension headers is wrong",
    "NEIGH_CREATEFAIL":
      "there is no room for one more neighbour (net.ipv4.neigh.default.gc_thresh3)",
    "NEIGH_FAILED": "the next hop does not answer ARP or neighbour discovery",
    "NEIGH_QUEUEFULL": "too many packets wait for the next hop to answer",
    "NEIGH_DEAD": "the entry for the next hop was being removed",
    "NEIGH_HH_FILLFAIL": "its link-layer header could not be made",
    "SECURITY_HOOK": "a security module (SELinux, Smack, AppArmor) refused it",
    "BPF_CGROUP_EGRESS": "a BPF program of the sender's control group dropped it",
    "CPU_BACKLOG": "this host is too busy: net.core.netdev_max_backlog packets wait already",
    "NOMEM": "the kernel has no memory left",
    "DEV_HDR": "its link-layer header is wrong",
    "TAP_FILTER": "the filter of the TAP device refused it",
    "TAP_TXFILTER": "the filter of the TAP device refused it",
    "QUEUE_PURGE": "the queue that it waited in was emptied",
    "PACKET_SOCK_ERROR": "a packet socket could not take it",
    "SKB_GSO_SEG": "it could not be cut into segments",
    "SKB_UCOPY_FAULT": "it could not be copied from the program that sent it",
    "MAC_INVALID_SOURCE": "the MAC address that its frame came from is none",
    "LOCAL_MAC": "the MAC address that its frame came from is this host's own",
    "NO_TX_TARGET": "no port of the device is there to send it by",
    "IP_TUNNEL_ECN": "its congestion marks and the tunnel's do not fit together",
    "TUNNEL_TXINFO": "the tunnel was not told where to send it",
    "ARP_PVLAN_DISABLE": "ARP on a private VLAN is not answered",
    "MAC_IEEE_MAC_CONTROL": "its frame is for the link alone",
    "BRIDGE_INGRESS_STP_STATE":
      "the bridge's port does not forward yet, or is blocked by spanning tree",
    "PFMEMALLOC": "memory is short, and the socket is not one that may use the last of it",
    "RECURSION_LIMIT": "it went round too many devices that stand on each other",
  ]
}
