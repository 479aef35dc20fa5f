// nf_tables' own objects as netlink messages: <linux/netfilter/nf_tables.h>. Only what tracing
// needs of them: names, places, handles, and which expressions a rule is made of.

/// A chain, from NFT_MSG_NEWCHAIN or NFT_MSG_DELCHAIN.
package struct ChainMessage: Sendable, Hashable {
  /// NFPROTO_… of the table.
  package var family: UInt8
  /// The table's name.
  package var table: String
  /// The chain's name.
  package var name: String
  /// The chain's number in its table.
  package var handle: UInt64
  /// "filter", "nat" or "route"; nil for a chain that is only jumped to.
  package var type: String?
  /// The hook's number in the terms of `family`; nil for a chain that is only jumped to.
  package var hookNumber: UInt32?
  /// Lower ones run first; nil for a chain that is only jumped to.
  package var priority: Int32?
  /// What becomes of packets no rule decided on; nil for a chain that is only jumped to.
  package var policy: Verdict?
  /// Devices of a netdev chain.
  package var devices: [String]

  /// NFT_MSG_NEWCHAIN in subsystem 10.
  package static let newType: UInt16 = 0x0a03
  /// NFT_MSG_GETCHAIN.
  package static let getType: UInt16 = 0x0a04
  /// What asks for the chains of all families.
  package static let dump = NetlinkMessage(
    type: getType, flags: NetlinkMessage.dumpRequest,
    payload: [UInt8](repeating: 0, count: NetfilterHeader.length))
  /// NFT_MSG_DELCHAIN in subsystem 10.
  package static let deleteType: UInt16 = 0x0a05

  /// The hook, for a base chain.
  package var hook: Hook? { hookNumber.flatMap { Hook(number: Int($0), family: family) } }

  /// Decodes the payload of a netlink message of one of the two types. Throws when it is cut off.
  package init(_ payload: [UInt8]) throws(WireError) {
    family = try NetfilterHeader(payload).family
    let attributes = try NetlinkAttribute.all(in: payload, from: NetfilterHeader.length)
    table = attributes[type: 1]?.string ?? ""
    handle = attributes[type: 2]?.network() ?? 0
    name = attributes[type: 3]?.string ?? ""
    type = attributes[type: 7]?.string
    policy = (attributes[type: 5]?.network() as UInt32?).map {
      Verdict(rawValue: Int32(bitPattern: $0))
    }
    devices = []
    if let hook = try attributes[type: 4]?.nested() {
      hookNumber = hook[type: 1]?.network()
      priority = (hook[type: 2]?.network() as UInt32?).map { Int32(bitPattern: $0) }
      if let list = try hook[type: 4]?.nested() {
        // NFTA_DEVICE_PREFIX, type 2, is a name's beginning: "eth*" in nft(8).
        devices = list.map { $0.type == 2 ? $0.string + "*" : $0.string }
      } else if let device = hook[type: 3] {
        // Of a single device the kernel sends this as well as the list.
        devices = [device.string]
      }
    }
  }
}
