/// nfnetlink subsystems: the upper octet of a message's type.
public enum NetfilterSubsystem {
  /// NFNL_SUBSYS_CTNETLINK.
  public static let conntrack: UInt8 = 1
  /// NFNL_SUBSYS_ULOG.
  public static let log: UInt8 = 4
  /// NFNL_SUBSYS_NFTABLES.
  public static let nftables: UInt8 = 10
}
