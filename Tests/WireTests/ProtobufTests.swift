import Testing
import Wire

/// Protocol Buffers: what is written, octet by octet, and what others write.
struct ProtobufTests {
  /// The examples of https://protobuf.dev/programming-guides/encoding/
  @Test func theExamplesOfTheSpecification() {
    var number = ProtobufMessage()
    number.add(1, varint: 150)
    #expect(number.bytes == [0x08, 0x96, 0x01])
    var text = ProtobufMessage()
    text.add(2, text: "testing")
    #expect(text.bytes == [0x12, 0x07] + Array("testing".utf8))
    var outer = ProtobufMessage()
    outer.add(3, number)
    #expect(outer.bytes == [0x1a, 0x03, 0x08, 0x96, 0x01])
  }

  @Test func numbersOfAllKinds() {
    var message = ProtobufMessage()
    message.add(7, fixed64: 0x0102_0304_0506_0708)
    message.add(3, varint: UInt64(bitPattern: -1))
    message.add(16, varint: 1)
    message.add(4, double: 1.5)
    #expect(
      message.bytes == [
        0x39, 8, 7, 6, 5, 4, 3, 2, 1,
        0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01,
        0x80, 0x01, 0x01,
        0x21, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f,
      ])
  }

  @Test func whatHasItsDefaultIsLeftOut() {
    var message = ProtobufMessage()
    message.add(1, varint: 0)
    message.add(2, fixed64: 0)
    message.add(3, text: "")
    message.add(4, octets: [])
    #expect(message.bytes == [])
    message.add(1, varint: 0, isOfOneof: true)
    message.add(3, text: "", isOfOneof: true)
    message.add(5, ProtobufMessage())
    #expect(message.bytes == [0x08, 0, 0x1a, 0, 0x2a, 0])
  }

  @Test func whatIsWrittenIsRead() {
    var inner = ProtobufMessage()
    inner.add(1, varint: 300)
    var message = ProtobufMessage()
    message.add(1, inner)
    message.add(2, text: "é")
    message.add(3, fixed64: .max)
    var fields = ProtobufFields(message.bytes).map { $0 }
    #expect(fields.map(\.number) == [1, 2, 3])
    #expect(
      fields.map(\.value) == [.octets([0x08, 0xac, 0x02]), .octets([0xc3, 0xa9]), .number(.max)])
    fields = ProtobufFields([0x08, 0xac, 0x02]).map { $0 }
    #expect(fields.map(\.value) == [.number(300)])
  }

  /// Fields 1 to 5 of all wire types, cut off everywhere, and with each octet another.
  @Test func whatIsNoneGivesWhatComesBefore() {
    let good: [UInt8] =
      [0x08, 0x96, 0x01, 0x15, 1, 2, 3, 4, 0x19] + Array(1...8) + [0x22, 2, 65, 66]
    let all = ProtobufFields(good).map(\.value)
    #expect(all.count == 4)
    for end in good.indices {
      let read = ProtobufFields(Array(good[..<end])).map(\.value)
      #expect(read == Array(all.prefix(read.count)))
    }
    for place in good.indices {
      for octet in UInt8.min...UInt8.max {
        var octets = good
        octets[place] = octet
        #expect(ProtobufFields(octets).reduce(0) { count, _ in count + 1 } <= good.count)
      }
    }
    // A group, field 0, a length beyond the end, a varint without one.
    for bad: [UInt8] in [
      [0x0b], [0x00, 1], [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 1],
      Array(repeating: 0x80, count: 20),
    ] {
      #expect(ProtobufFields(bad).map(\.number) == [])
    }
  }
}
