internal import Wire

extension FindingID {
  static let kernelDrop = FindingID(rawValue: "kernel-drop")
}

/// The kernel said why it dropped the packet, and no other cause knows more of it.
enum DroppedByKernel: Cause {
  static let page = FindingPage(
    .kernelDrop, "The kernel dropped the packet, and says why",
    meaning: """
      No rule dropped the packet. The kernel itself did, outside of netfilter, and gives a reason, of which
      nftrace knows what it means, and no more: what to change is to be found with that.
      """,
    certainty: """
      Always certain: the kernel gave this reason for the drop.
      """,
    conclusion: """
      The tracepoint skb:kfree_skb had a reason for this packet (`enum skb_drop_reason`), and none of the
      causes that know more of it fits.
      """,
    advice: """
      The finding says in a few words what the reason means, and where the packet was. The kernel's
      include/net/dropreason-core.h explains each reason in full.
      """)

  static let needs: [Need] = [
    .host(.programs), .interfaceSetting(.disableIPv6), .interfaceSetting(.dropUnicast),
  ]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard let verdict = KernelVerdict(lost) else { return nil }
    var settings: [Evidence] = []
    if verdict.reason == "IPV6DISABLED", let device = lost.last.inDevice,
      let setting = lost.setting(.disableIPv6, of: device), setting.value != "0"
    {
      settings.append(.setting(setting.name, value: setting.value))
      var finding = finding(verdict, settings)
      // The addresses that the interface had before are gone: what gives them has to do it again.
      finding.remedy = (try? Word.sysctl(setting.name)).map { "sysctl -w \($0)=0" }
      return finding
    }
    if verdict.reason == "UNICAST_IN_L2_MULTICAST", let device = lost.inDevice {
      let set = ["all", device].compactMap { lost.setting(.dropUnicast, of: $0) }.filter {
        $0.value != "0"
      }
      var finding = finding(verdict, set.map { .setting($0.name, value: $0.value) })
      // TCP takes no such frames, whatever is set.
      if lost.packet.proto != .tcp, !set.isEmpty {
        finding.remedy = try? set.map { (setting) throws(Word.Unspeakable) -> Command in
          "sysctl -w \(try Word.sysctl(setting.name))=0"
        }.joined(separator: " && ")
      }
      return finding
    }
    return finding(verdict, settings)
  }

  static func finding(_ verdict: KernelVerdict, _ settings: [Evidence] = []) -> Finding {
    let words = DropReasons.words(verdict.reason, device: verdict.device ?? "the interface")
    return error(
      "the kernel dropped the \(verdict.what) \(verdict.place)"
        + (words.map { ": \($0)" } ?? ", with the reason") + " (\(verdict.reason))",
      evidence: verdict.evidence + settings, at: verdict.at)
  }
}

extension InterfaceSetting {
  /// Whether a packet for one host alone is dropped whose frame went to many.
  fileprivate static let dropUnicast = InterfaceSetting(
    "drop_unicast_in_l2_multicast", versions: [4, 6])
  static let disableIPv6 = InterfaceSetting("disable_ipv6", versions: [6])
}
