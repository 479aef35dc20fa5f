import CNetfilter
import Glibc
import Testing
import Wire

@testable import Kernel

/// What is made of the kernel's answers. They lie ready at the other end of a pair of sockets, for the
/// numbers of requests are known: 1, 2, 3…
struct NetlinkConversationTests {
  /// A conversation with somebody who says this, a datagram each.
  private func conversation(
    hearing datagrams: [[UInt8]], _ body: (inout NetlinkConversation) throws -> Void
  ) throws {
    var ends: [Int32] = [0, 0]
    try #require(unsafe socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0, &ends) == 0)
    let near = FileDescriptor(owning: ends[0])
    let far = FileDescriptor(owning: ends[1])
    for datagram in datagrams { try far.write(datagram) }
    var conversation = NetlinkConversation(over: near.number, with: .route)
    try body(&conversation)
  }

  private func item(_ sequence: UInt32, _ octet: UInt8, flags: UInt16 = 2) -> [UInt8] {
    NetlinkMessage(type: 24, flags: flags, sequence: sequence, payload: [octet, 0, 0, 0]).bytes
  }

  private func end(_ sequence: UInt32, errno: Int32 = 0, flags: UInt16 = 2) -> [UInt8] {
    var payload: [UInt8] = []
    payload.append(littleEndian: UInt32(bitPattern: -errno))
    return NetlinkMessage(type: 3, flags: flags, sequence: sequence, payload: payload).bytes
  }

  private func refusal(_ sequence: UInt32, errno: Int32, words: String? = nil) -> [UInt8] {
    var payload: [UInt8] = []
    payload.append(littleEndian: UInt32(bitPattern: -errno))
    payload += [UInt8](repeating: 0, count: 16)
    if let words { payload += [NetlinkAttribute(1, string: words)].bytes }
    // NLM_F_CAPPED and NLM_F_ACK_TLVS.
    return NetlinkMessage(
      type: 2, flags: words == nil ? 0x100 : 0x300, sequence: sequence, payload: payload
    ).bytes
  }

  private let request = RouteMessageType.dump(RouteMessageType.getRoute, family: 2)

  @Test func aListIsReadToItsEnd() throws {
    try conversation(hearing: [
      item(7, 9), item(1, 1) + item(1, 2), item(0, 9) + item(1, 3), end(1),
    ]) { conversation in
      let list = try conversation.dump(request, attempt: "list") { $0.payload[0] != 2 }
      #expect(list.map(\.payload[0]) == [1, 3])
    }
  }

  /// NLM_F_DUMP_INTR, 0x10.
  @Test(arguments: [false, true]) func aTornListIsAskedForAgain(isTornAtItsEnd: Bool) throws {
    try conversation(hearing: [
      item(1, 1, flags: isTornAtItsEnd ? 2 : 0x12), end(1, flags: isTornAtItsEnd ? 0x12 : 2),
      item(2, 2), end(2),
    ]) { conversation in
      let list = try conversation.dump(request, attempt: "list")
      #expect(list.map(\.payload[0]) == [2])
    }
  }

  @Test func aListThatIsAlwaysTornIsAnError() throws {
    try conversation(hearing: (1...20).map { item($0, 1, flags: 0x12) + end($0) }) { conversation in
      let error = #expect(throws: KernelError.self) {
        try conversation.dump(request, attempt: "list")
      }
      #expect(error?.errno == EINTR)
    }
  }

  @Test func aListMayFailMidway() throws {
    try conversation(hearing: [item(1, 1), end(1, errno: ENOMEM)]) { conversation in
      let error = #expect(throws: KernelError.self) {
        try conversation.dump(request, attempt: "list the routes")
      }
      #expect(error?.errno == ENOMEM)
      #expect(error?.isRefusal == true)
    }
  }

  @Test func theKernelsWordsAreTold() throws {
    try conversation(hearing: [
      refusal(5, errno: EPERM), refusal(1, errno: EINVAL, words: "Nexthop has invalid gateway"),
    ]) { conversation in
      let error = #expect(throws: KernelError.self) {
        try conversation.acknowledge(request, attempt: "add a route")
      }
      #expect(error?.errno == EINVAL)
      #expect(error?.kind == .usage)
      #expect(error?.help == "the kernel says: Nexthop has invalid gateway")
    }
  }

  @Test func anErrorIsAnAnswer() throws {
    try conversation(hearing: [item(0, 1), refusal(1, errno: ENODEV)]) { conversation in
      let answer = try conversation.ask(request, attempt: "look")
      #expect(answer.errorCode == ENODEV)
    }
  }

  /// Octets: cut off in the header, a header of no length, and more than there is room for.
  @Test(arguments: [3, 16, 70_000]) func whatCannotBeReadIsAnError(octets: Int) throws {
    try conversation(hearing: [[UInt8](repeating: 0, count: octets), end(1)]) { conversation in
      let error = #expect(throws: KernelError.self) {
        try conversation.dump(request, attempt: "list")
      }
      #expect(error?.errno == EBADMSG)
    }
  }

  @Test func nothingIsThereYet() throws {
    try conversation(hearing: []) { conversation in
      let messages = try conversation.receive(attempt: "hear", wait: false)
      #expect(messages.isEmpty)
    }
  }
}
