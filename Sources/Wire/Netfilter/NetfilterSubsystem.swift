/// nfnetlink subsystems: the upper octet of a message's type.
package enum NetfilterSubsystem {
  /// NFNL_SUBSYS_CTNETLINK.
  package static let conntrack: UInt8 = 1
  /// NFNL_SUBSYS_ULOG.
  package static let log: UInt8 = 4
  /// NFNL_SUBSYS_NFTABLES.
  package static let nftables: UInt8 = 10
}
