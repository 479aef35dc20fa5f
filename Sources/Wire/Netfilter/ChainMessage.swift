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

  /// enum nft_chain_attributes.
  private enum Attribute {
    static let table: UInt16 = 1
    static let handle: UInt16 = 2
    static let name: UInt16 = 3
    static let hook: UInt16 = 4
    static let policy: UInt16 = 5
    static let type: UInt16 = 7
  }

  /// enum nft_hook_attributes.
  private enum HookAttribute {
    static let number: UInt16 = 1
    static let priority: UInt16 = 2
    static let device: UInt16 = 3
    static let devices: UInt16 = 4
  }

  /// enum nft_devices_attributes.
  private enum DeviceAttribute {
    static let prefix: UInt16 = 2
  }

  /// Decodes the payload of a netlink message of one of the two types. Throws when it is cut off.
  package init(_ payload: [UInt8]) throws(WireError) {
    family = try NetfilterHeader(payload).family
    let attributes = try NetlinkAttribute.all(in: payload, from: NetfilterHeader.length)
    table = attributes[type: Attribute.table]?.string ?? ""
    handle = attributes[type: Attribute.handle]?.network() ?? 0
    name = attributes[type: Attribute.name]?.string ?? ""
    type = attributes[type: Attribute.type]?.string
    policy = (attributes[type: Attribute.policy]?.network() as UInt32?).map {
      Verdict(rawValue: Int32(bitPattern: $0))
    }
    devices = []
    if let hook = try attributes[type: Attribute.hook]?.nested() {
      hookNumber = hook[type: HookAttribute.number]?.network()
      priority = (hook[type: HookAttribute.priority]?.network() as UInt32?).map {
        Int32(bitPattern: $0)
      }
      if let list = try hook[type: HookAttribute.devices]?.nested() {
        // A prefix is a name's beginning: "eth*" in nft(8).
        devices = list.map {
          $0.type == DeviceAttribute.prefix ? $0.string + "*" : $0.string
        }
      } else if let device = hook[type: HookAttribute.device] {
        // Of a single device the kernel sends this as well as the list.
        devices = [device.string]
      }
    }
  }
}
