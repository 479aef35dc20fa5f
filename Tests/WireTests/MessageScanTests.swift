import Testing
import Wire

/// What is read of messages that come by the hundred thousand, beside all that can be read of them.
@Suite struct MessageScanTests {
  private func step(_ table: String = "fw", chain: String = "forward") -> TraceMessage {
    var step = TraceMessage(
      family: 1, id: 7, kind: .rule, table: table, chain: chain, handle: 3, verdict: .drop)
    step.networkHeader = [UInt8](repeating: 0x45, count: 20)
    return step
  }

  @Test func stepsOfOneRuleAreOne() throws {
    let one = try #require(TraceMessage.fingerprint(step().bytes))
    var same = step()
    same.id = 8
    same.networkHeader = nil
    #expect(TraceMessage.fingerprint(same.bytes) == one)
    var others = [step("fw2"), step(chain: "input"), step(), step(), step()]
    others[2].handle = 4
    others[3].verdict = .accept
    others[4].family = 2
    for other in others { #expect(TraceMessage.fingerprint(other.bytes) != one) }
    var policy = step()
    policy.handle = nil
    #expect(TraceMessage.fingerprint(policy.bytes) == nil)
  }

  @Test func stepsOfOwnTablesAreNotRead() throws {
    #expect(try TraceMessage(step("nftrace_setup").bytes, unlessOf: "nftrace_") == nil)
    #expect(try TraceMessage(step("nftrac").bytes, unlessOf: "nftrace_") == step("nftrac"))
    #expect(try TraceMessage(step().bytes, unlessOf: "nftrace_") == step())
  }

  @Test func damageIsNoStep() {
    for count in 0..<step().bytes.count {
      let cut = Array(step().bytes.prefix(count))
      _ = TraceMessage.fingerprint(cut)
      _ = try? TraceMessage(cut, unlessOf: "nftrace_")
      _ = LogMessage.number(cut)
    }
    #expect(TraceMessage.fingerprint([]) == nil)
    #expect(LogMessage.number([]) == nil)
  }

  @Test func numbersOfLogMessages() throws {
    let message = LogMessage(
      family: 2, group: 61440, hookNumber: 1, prefix: "FORWARD", sequence: 77,
      payload: [UInt8](repeating: 1, count: 40))
    let found = try #require(LogMessage.number(message.bytes))
    #expect(found.group == 61440 && found.number == 77)
  }
}
