extension Scenario {
  /// What nftrace cannot send yet, or what would take the machine's own settings: listed, not run.
  static let pendingScenarios: [Scenario] = [
    pending("source-route-option-v4", ["lost-after"], needs: "a probe with IP options"),
    pending("tun-reader-stalls-v4", ["lost-after"], needs: "a reader that is not nftrace"),
    pending(
      "flow-offloaded-v4", ["flow-offloaded"],
      needs: "a kernel with CONFIG_NF_FLOW_TABLE, as its recorded session had"),
    pending("healthy-vrf-v4", [], needs: "CONFIG_NET_VRF"),
    pending("healthy-vlan-uplink-v4", [], needs: "CONFIG_VLAN_8021Q"),
  ]
}
