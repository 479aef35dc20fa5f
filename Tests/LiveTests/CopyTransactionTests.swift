import Testing
import Trace
import Wire

@testable import Kernel

extension LiveTests {
  /// What is made of a ruleset that the kernel does not take as a whole.
  struct CopyTransactionTests {
    /// A chain without a name of its own is refused without the rule that leads there, and all else with it: where that rule is
    /// refused, nothing gets past it any more, and what stands beside it is there.
    @Test func aJumpThatIsRefused() throws {
      let original = try NetworkNamespace.create()
      let rules: [Command] = [
        "add table inet t", "add chain inet t f { type filter hook output priority 0; }",
        "add rule inet t f tcp dport 7 jump { drop; }", "add rule inet t f udp dport 9 drop",
      ]
      for rule in rules { _ = NFTables.run(rule, in: original) }
      var transaction = try original.within { () throws(KernelError) in
        var ruleset = try CopiedRuleset.read()
        return ruleset.transaction()
      }
      let jump = try #require(
        transaction.steps.lastIndex { step in
          guard case .made(let message) = step.kind, step.what.hasPrefix("rule ") else {
            return false
          }
          return message.payload.contains(Array("__chain".utf8))
        })
      guard case .made(var message) = transaction.steps[jump].kind else { return }
      // There is no such expression.
      message.payload = message.payload.replacing(
        Array("payload".utf8), with: Array("paylode".utf8))
      transaction.steps[jump].kind = .made(message)
      let copy = try NetworkNamespace.create()
      let refused = try copy.within { () throws(KernelError) in
        try transaction.carryOut()
      }
      #expect(refused.map(\.what) == ["rule with handle 4 of chain f"])
      let listing = NFTables.run("list ruleset", in: copy) ?? ""
      #expect(listing.contains("udp dport 9 drop"), "\(listing)")
      #expect(listing.contains("jump {"), "\(listing)")
      #expect(!listing.contains("tcp dport 7"), "\(listing)")
    }
  }
}
