internal import Wire

/// Policies of IPsec that let nothing pass, as the kernel lists them: it takes what it gives. What others want is encrypted by
/// associations, which are not copied.
struct CopiedPolicies: Sendable {
  private var blocks: [NetlinkMessage] = []
  /// What is not the same in the copy.
  private(set) var differences: [CopyDifference] = []

  /// Reads them, in the network namespace of the calling thread.
  static func read() -> CopiedPolicies {
    var copied = CopiedPolicies()
    var security = try? NetlinkConversation(with: .security, attempt: "list the policies of IPsec")
    let messages = try? security?.dump(
      SecurityPolicyMessage.question, attempt: "list the policies of IPsec")
    for message in messages ?? [] {
      guard let policy = try? SecurityPolicyMessage(parsing: message), policy.direction <= 2 else {
        continue
      }
      if policy.isBlock {
        copied.blocks.append(message)
      } else if copied.differences.isEmpty {
        copied.differences.append(.security)
      }
    }
    return copied
  }

  /// Makes them in the network namespace of the calling thread.
  mutating func make() {
    guard !blocks.isEmpty,
      var security = try? NetlinkConversation(with: .security, attempt: "add a policy of IPsec")
    else { return }
    for message in blocks {
      do {
        try security.acknowledge(message, flags: 0, attempt: "add a policy of IPsec")
      } catch {
        if differences.isEmpty { differences.append(.security) }
      }
    }
  }
}
