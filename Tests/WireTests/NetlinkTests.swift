import Recordings
import Testing
import Wire

@Suite struct NetlinkTests {
  @Test(arguments: Recordings.all)
  func aRecordedMessageIsWrittenAsItWasRead(recording: Recording) throws {
    let messages = try NetlinkMessage.all(in: recording.bytes)
    #expect(messages.count == 1)
    #expect(messages[0].payload == recording.payload)
    #expect(messages[0].bytes == recording.bytes)
  }

  @Test(arguments: Recordings.all)
  func everyTruncationOfAMessageThrows(recording: Recording) {
    for part in prefixes(recording.bytes).dropFirst().dropLast() {
      #expect(throws: WireError.self) { try NetlinkMessage.all(in: part) }
    }
  }

  @Test func oneDatagramHoldsSeveral() throws {
    let first = NetlinkMessage(type: 3, flags: 2, sequence: 7, port: 9, payload: [1, 2, 3])
    let second = NetlinkMessage(type: 4, payload: [])
    #expect(first.bytes.count == 20)
    #expect(try NetlinkMessage.all(in: first.bytes + second.bytes) == [first, second])
    // The last one's padding may be missing.
    #expect(try NetlinkMessage.all(in: second.bytes + first.bytes.dropLast()) == [second, first])
    #expect(try NetlinkMessage.all(in: []) == [])
  }

  @Test(arguments: [UInt8(0), 1, 15])
  func aLengthShorterThanTheHeaderThrows(length: UInt8) {
    var bytes = NetlinkMessage(type: 1).bytes
    bytes[0] = length
    #expect(
      throws: WireError("netlink message length \(length) is shorter than its header", at: 0)
    ) { try NetlinkMessage.all(in: bytes) }
  }

  @Test func aLengthBeyondTheDatagramThrows() {
    var bytes = NetlinkMessage(type: 1).bytes
    bytes.replaceSubrange(0..<4, with: [255, 255, 255, 255])
    #expect(throws: WireError.self) { try NetlinkMessage.all(in: bytes) }
  }

  @Test func attributesOfEveryKindComeBack() throws {
    let attributes = [
      NetlinkAttribute(1, [1, 2, 3]), NetlinkAttribute(2, string: "größe"),
      NetlinkAttribute(3, host: UInt32(5)), NetlinkAttribute(4, network: UInt64(6)),
      NetlinkAttribute(5, nested: [NetlinkAttribute(6, network: Int32(-7))]),
      NetlinkAttribute(8, []),
    ]
    let read = try NetlinkAttribute.all(in: attributes.bytes)
    #expect(read.map(\.type) == [1, 2, 3, 4, 5, 8])
    #expect(read.map(\.value) == attributes.map(\.value))
    #expect(read[type: 2]?.string == "größe")
    #expect(read[type: 3]?.host() == UInt32(5))
    #expect(read[type: 4]?.network() == UInt64(6))
    #expect(read[type: 4]?.network(UInt32.self) == nil)
    #expect(try read[type: 5]?.nested()[type: 6]?.network() == Int32(-7))
    #expect(read[type: 9] == nil)
  }

  @Test func flagsAreNoPartOfAType() throws {
    // NLA_F_NESTED and NLA_F_NET_BYTEORDER.
    #expect(try NetlinkAttribute.all(in: [4, 0, 9, 0xc0])[0].type == 9)
  }

  @Test func attributesThatEndTooEarlyThrow() throws {
    let error = WireError("netlink attribute length 3 is shorter than its header", at: 4)
    #expect(throws: error) { try NetlinkAttribute.all(in: [4, 0, 1, 0, 3, 0, 1, 0]) }
    #expect(throws: WireError("needs 4 octets, 3 left", at: 4)) {
      try NetlinkAttribute.all(in: [8, 0, 1, 0, 1, 2, 3])
    }
    #expect(throws: WireError("needs 5 octets, 4 left", at: 0)) {
      try NetlinkAttribute.all(in: [4, 0, 1, 0], from: 5)
    }
    // Padding, as mnl_attr_ok has it too.
    #expect(try NetlinkAttribute.all(in: [4, 0, 1, 0, 9, 9, 9]).count == 1)
  }

  @Test func aValueTooLongIsCutOffAtTheEnd() throws {
    let long = NetlinkAttribute(1, Array(repeating: 7, count: 70_000))
    let read = try NetlinkAttribute.all(in: [long, NetlinkAttribute(2, [8])].bytes)
    #expect(read.map(\.value.count) == [NetlinkAttribute.maximumLength, 1])
    // Octets that are no UTF-8 are written as they were read.
    let name = NetlinkAttribute(1, Array(repeating: 0xff, count: 60_000))
    let type = NetlinkAttribute(4, network: UInt32(3))
    let payload = NetfilterHeader(family: 1).bytes + [name, type].bytes
    #expect(try TraceMessage(TraceMessage(payload).bytes).table.octets.count == 60_000)
  }

  @Test func mutatedMessagesAreReadOrRefused() throws {
    var numbers = SteadyNumbers(state: 1)
    for recording in Recordings.all {
      for _ in 0..<100 {
        let payload = recording.payload.mutated(by: &numbers)
        #expect(survives(payload), "\(recording): \(payload)")
      }
      for _ in 0..<20 {
        let bytes = recording.bytes.mutated(by: &numbers)
        for message in (try? NetlinkMessage.all(in: bytes)) ?? [] { _ = message.bytes }
      }
    }
  }

  @Test func noiseIsReadOrRefused() {
    var numbers = SteadyNumbers(state: 2)
    for _ in 0..<5000 {
      let count = Int.random(in: 0...120, using: &numbers)
      let noise = (0..<count).map { _ in UInt8.random(in: 0...255, using: &numbers) }
      #expect(survives(noise), "\(noise)")
      _ = try? Packet(noise).bytes
    }
  }
}
