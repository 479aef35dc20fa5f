// What rtnetlink sends and takes, after its fixed headers: rtnetlink(7), <linux/rtnetlink.h>,
// <linux/if_link.h>, <linux/if_addr.h>, <linux/fib_rules.h>, <linux/neighbour.h>.
//
// A message is a fixed header that begins with the address family, padded to four octets, and
// attributes behind it. Numbers are in host order, addresses in network order.

/// Message types of rtnetlink (`RTM_…`).
package enum RouteMessageType {
  /// `RTM_NEWLINK`.
  package static let newLink: UInt16 = 16
  /// `RTM_DELLINK`.
  package static let deleteLink: UInt16 = 17
  /// `RTM_GETLINK`.
  package static let getLink: UInt16 = 18
  /// `RTM_NEWADDR`.
  package static let newAddress: UInt16 = 20
  /// `RTM_DELADDR`.
  package static let deleteAddress: UInt16 = 21
  /// `RTM_GETADDR`.
  package static let getAddress: UInt16 = 22
  /// `RTM_NEWROUTE`.
  package static let newRoute: UInt16 = 24
  /// `RTM_DELROUTE`.
  package static let deleteRoute: UInt16 = 25
  /// `RTM_GETROUTE`.
  package static let getRoute: UInt16 = 26
  /// `RTM_NEWNEIGH`.
  package static let newNeighbour: UInt16 = 28
  /// `RTM_DELNEIGH`.
  package static let deleteNeighbour: UInt16 = 29
  /// `RTM_GETNEIGH`.
  package static let getNeighbour: UInt16 = 30
  /// `RTM_NEWRULE`.
  package static let newRule: UInt16 = 32
  /// `RTM_DELRULE`.
  package static let deleteRule: UInt16 = 33
  /// `RTM_GETRULE`.
  package static let getRule: UInt16 = 34
  /// `RTM_NEWQDISC`.
  package static let newQdisc: UInt16 = 36
  /// `RTM_GETQDISC`.
  package static let getQdisc: UInt16 = 38
  /// `RTM_NEWTFILTER`.
  package static let newFilter: UInt16 = 44
  /// `RTM_GETTFILTER`.
  package static let getFilter: UInt16 = 46
  /// `RTM_NEWNEXTHOP`.
  package static let newNexthop: UInt16 = 104
  /// `RTM_GETNEXTHOP`.
  package static let getNexthop: UInt16 = 106

  /// `RTM_GETNSID`.
  private static let getNamespaceNumber: UInt16 = 90

  /// What asks for the number of a network namespace, which is held by this descriptor of the asking process.
  package static func question(ofNamespace descriptor: Int32) -> NetlinkMessage {
    // rtgenmsg, padded; NETNSA_FD is 3.
    NetlinkMessage(
      type: getNamespaceNumber,
      payload: [0, 0, 0, 0]
        + [NetlinkAttribute(3, host: UInt32(bitPattern: descriptor))].bytes)
  }

  /// The number in the answer; nil where there is none.
  package static func namespaceNumber(in answer: NetlinkMessage) -> Int32? {
    let attributes = try? NetlinkAttribute.all(in: answer.payload, from: 4)
    // NETNSA_NSID; -1 says that there is none.
    let number: Int32? = attributes?[type: 1]?.host()
    return number.flatMap { $0 < 0 ? nil : $0 }
  }

  /// Octets of the fixed header that a request of this type begins with: `ifinfomsg`, `ifaddrmsg`,
  /// `rtmsg` (and the rules' `fib_rule_hdr`), `ndmsg`, `tcmsg` or `nhmsg`. The kernel takes what is longer for
  /// a broken attribute, and complains in its log.
  package static func headerLength(of type: UInt16) -> Int {
    switch type {
    case getAddress, getNexthop: 8
    case getRoute, getNeighbour, getRule: 12
    case getQdisc: QdiscMessage.headerLength
    default: LinkMessage.headerLength
    }
  }

  /// What asks for all of a kind: `type` is an `RTM_GET…`, `family` an address family as netlink
  /// numbers them (0 all, 2 IPv4, 10 IPv6).
  package static func dump(_ type: UInt16, family: UInt8 = 0) -> NetlinkMessage {
    // Nothing but the family set.
    NetlinkMessage(
      type: type, flags: NetlinkMessage.dumpRequest,
      payload: [family] + Array(repeating: 0, count: headerLength(of: type) - 1))
  }
}
