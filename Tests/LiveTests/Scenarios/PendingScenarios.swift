extension Scenario {
  /// What nftrace cannot send yet, or what would take the machine's own settings: listed, not run.
  static let pendingScenarios: [Scenario] = [
    pending("tcp-not-loose-invalid-v4", ["invalid-state-drop"], needs: "-p tcp"),
    pending("udp-snat-port-clash-v4", ["snat-clash"], needs: "-p udp"),
    pending("stray-echo-reply-invalid-v4", ["invalid-state-drop"], needs: "--in with a reply"),
    pending("stray-echo-reply-v4", ["not-translated"], needs: "--in with a reply"),
    pending("source-route-option-v4", ["lost-after"], needs: "a probe with IP options"),
    pending("bad-icmp-checksum-invalid-v4", ["invalid-state-drop"], needs: "a broken checksum"),
    pending("second-fragment-missing-v4", ["lost-after"], needs: "a probe that is a fragment"),
    pending("tun-reader-stalls-v4", ["lost-after"], needs: "a reader that is not nftrace"),
    pending("flow-offloaded-v4", ["flow-offloaded"], needs: "CONFIG_NF_FLOW_TABLE"),
    pending("healthy-vrf-v4", [], needs: "CONFIG_NET_VRF"),
    pending("healthy-vlan-uplink-v4", [], needs: "CONFIG_VLAN_8021Q"),
  ]
}
