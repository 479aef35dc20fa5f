internal import CNetfilter
package import Trace
package import Wire

extension ObservationPoint {
  /// Whether a chain in these `NFT_MSG_NEWCHAIN` stands behind the point `egress` of a device: one of
  /// the last priority there is, for of two with the same the older one runs last.
  package static func isEgressOvertaken(by messages: [NetlinkMessage], on device: String) -> Bool {
    messages.compactMap { try? ChainMessage($0.payload) }.contains { chain in
      chain.hook == .egress && chain.priority == egress.priority
        && !OwnTable.isOne(chain.table)
        && chain.devices.contains {
          $0.hasSuffix("*") ? device.hasPrefix($0.dropLast()) : $0 == device
        }
    }
  }
}
