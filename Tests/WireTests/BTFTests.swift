import Testing
import Wire

/// BTF written by hand, type by type.
private struct BTFWriter {
  private var types: [UInt8] = []
  private var strings: [UInt8] = [0]
  private var count: UInt32 = 0

  mutating func name(_ text: String) -> UInt32 {
    guard !text.isEmpty else { return 0 }
    defer { strings += Array(text.utf8) + [0] }
    return UInt32(strings.count)
  }

  /// Returns the number of the type.
  @discardableResult
  mutating func add(
    _ kind: UInt32, _ text: String = "", flag: Bool = false, entries: Int = 0, of target: UInt32,
    _ rest: [UInt32] = []
  ) -> UInt32 {
    for word in [name(text), (flag ? 1 << 31 : 0) | kind << 24 | UInt32(entries), target] + rest {
      types.append(littleEndian: word)
    }
    count += 1
    return count
  }

  var bytes: [UInt8] {
    var result: [UInt8] = [0x9f, 0xeb, 1, 0]
    for word in [24, 0, UInt32(types.count), UInt32(types.count), UInt32(strings.count)] {
      result.append(littleEndian: word)
    }
    return result + types + strings
  }
}

struct BTFTests {
  /// Every kind of type once, then: struct holder { flags : 3; union { struct { u16 low; T high; };
  /// u32 whole; }; void *link; u32 list[4]; } with T a typedef of const u32.
  private static let sample: [UInt8] = {
    var writer = BTFWriter()
    let u32 = writer.add(1, "unsigned int", of: 4, [32])
    let u16 = writer.add(1, "unsigned short", of: 2, [16])
    writer.add(16, "double", of: 8)
    writer.add(7, "absent", of: 0)
    let pointer = writer.add(2, of: 0)
    let list = writer.add(3, of: 0, [u32, u32, 4])
    let const = writer.add(10, of: u32)
    let alias = writer.add(8, "T", of: const)
    let inner = writer.add(
      4, entries: 2, of: 6, [writer.name("low"), u16, 0, writer.name("high"), alias, 16])
    let union = writer.add(5, entries: 2, of: 6, [0, inner, 0, writer.name("whole"), u32, 0])
    let flags = [writer.name("flags"), u32, 3 << 24]
    let entries = [
      0, union, 32, writer.name("link"), pointer, 128, writer.name("list"), list, 192,
    ]
    let holder = writer.add(4, "holder", flag: true, entries: 4, of: 40, flags + entries)
    writer.add(14, "variable", of: u32, [1])
    writer.add(15, ".data", entries: 1, of: 4, [1, 0, 4])
    writer.add(17, "tag", of: holder, [0xffff_ffff])
    let tagged = writer.add(18, "user", of: holder)
    let negative = [writer.name("E_MINUS"), UInt32(bitPattern: -1), writer.name("E_ONE"), 1]
    let colour = writer.add(6, "colour", flag: true, entries: 2, of: 4, negative)
    writer.add(19, "wide", entries: 1, of: 8, [writer.name("W_BIG"), 5, 1])
    let toHolder = writer.add(2, of: tagged)
    let function = writer.add(13, entries: 3, of: 0, [0, pointer, 0, toHolder, 0, colour])
    let toFunction = writer.add(2, of: function)
    writer.add(8, "btf_trace_sample", of: toFunction)
    writer.add(12, "sample", of: function)
    return writer.bytes
  }()

  @Test func fields() throws {
    let btf = try BTF(Self.sample)
    #expect(btf.field("holder.low") == BTF.Field(offset: 4, size: 2))
    #expect(btf.field("holder.high") == BTF.Field(offset: 6, size: 4))
    #expect(btf.field("holder.whole") == BTF.Field(offset: 4, size: 4))
    #expect(btf.field("holder.link") == BTF.Field(offset: 16, size: 8))
    #expect(btf.field("holder.list") == BTF.Field(offset: 24, size: 16))
    for path in ["holder.flags", "holder.none", "holder", "none.low", "", "holder.link.x", "."] {
      #expect(btf.field(path) == nil, "\(path)")
    }
  }

  @Test func enumerations() throws {
    let btf = try BTF(Self.sample)
    #expect(btf.enumeration("colour") == [-1: "E_MINUS", 1: "E_ONE"])
    #expect(btf.enumeration("wide") == [0x1_0000_0005: "W_BIG"])
    #expect(btf.enumeration("holder") == nil)
  }

  @Test func parameters() throws {
    let btf = try BTF(Self.sample)
    #expect(
      btf.parameters(ofPointer: "btf_trace_sample") == ["void *", "holder *", "colour"])
    #expect(btf.parameters(ofPointer: "T") == nil)
    #expect(btf.parameters(ofPointer: "btf_trace_none") == nil)
  }

  @Test func everyTruncation() {
    for count in 0..<Self.sample.count {
      #expect(throws: WireError.self, "\(count)") { try BTF(Array(Self.sample.prefix(count))) }
    }
  }

  /// Whatever one octet is changed to, looking things up ends and does not trap.
  @Test func damage() {
    for index in Self.sample.indices {
      for value in [UInt8(0), 1, 4, 9, 0x7f, 0xff] {
        var bytes = Self.sample
        bytes[index] = value
        guard let btf = try? BTF(bytes) else { continue }
        _ = btf.field("holder.high")
        _ = btf.field("holder.list")
        _ = btf.enumeration("colour")
        _ = btf.enumeration("wide")
        _ = btf.parameters(ofPointer: "btf_trace_sample")
      }
    }
  }

  @Test func loopsOfTypes() throws {
    var writer = BTFWriter()
    writer.add(8, "loop", of: 1)
    writer.add(4, "self", entries: 1, of: 4, [0, 2, 0])
    writer.add(3, of: 0, [3, 3, 2])
    writer.add(4, "array", entries: 1, of: 4, [writer.name("member"), 3, 0])
    writer.add(2, of: 5)
    writer.add(8, "pointer", of: 5)
    let btf = try BTF(writer.bytes)
    #expect(btf.field("self.anything") == nil)
    #expect(btf.field("array.member") == nil)
    #expect(btf.parameters(ofPointer: "loop") == nil)
    #expect(btf.parameters(ofPointer: "pointer") == nil)
  }

  @Test func otherThings() {
    #expect(throws: WireError("no BTF: its first two octets are others", at: 0)) {
      try BTF([0xeb, 0x9f] + Self.sample.dropFirst(2))
    }
    var writer = BTFWriter()
    writer.add(31, "future", of: 0)
    #expect(throws: WireError("BTF type of unknown kind 31", at: 24)) { try BTF(writer.bytes) }
  }

  /// Structures whose parts have no names, each twice in the one around it: four thousand million
  /// places, and no more than thirty-two types.
  @Test func partsOfPartsAreSearchedOnce() throws {
    var writer = BTFWriter()
    var inner = writer.add(1, "int", of: 4, [32])
    for number in 0..<32 {
      let name = number == 31 ? "outer" : ""
      inner = writer.add(4, name, entries: 2, of: 4, [0, inner, 0, 0, inner, 0])
    }
    #expect(try BTF(writer.bytes).field("outer.absent") == nil)
  }

  /// A place that no program could reach.
  @Test func membersTooFarAwayAreNone() throws {
    var writer = BTFWriter()
    let int = writer.add(1, "int", of: 4, [32])
    var inner = writer.add(4, entries: 1, of: 4, [writer.name("far"), int, .max - 7])
    for _ in 0..<5 { inner = writer.add(4, entries: 1, of: 4, [0, inner, .max - 7]) }
    writer.add(4, "outer", entries: 1, of: 4, [0, inner, .max - 7])
    #expect(try BTF(writer.bytes).field("outer.far") == nil)
  }
}
