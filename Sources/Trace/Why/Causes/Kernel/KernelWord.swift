/// What the kernel's own word on a drop outside of netfilter tells.
protocol KernelWord: Diagnosis {
  /// The reasons that it knows.
  static var reasons: Set<String> { get }
  /// What is to be said of one of them.
  static func finding(_ verdict: KernelVerdict) -> Finding
}

/// The same of packets that some hook saw.
protocol KernelCause: KernelWord, Cause {}

extension KernelWord {
  static var needs: [Need] { [.host(.programs)] }
}

extension KernelCause {
  static func examine(_ lost: LostPacket) -> Finding? {
    guard let verdict = KernelVerdict(lost), reasons.contains(verdict.reason) else { return nil }
    return finding(verdict)
  }
}
