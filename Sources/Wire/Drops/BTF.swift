// BTF, the kernel's description of its own types: Documentation/bpf/btf.rst of the kernel and
// <linux/btf.h>. The running kernel's is /sys/kernel/btf/vmlinux, five megabytes of
//
//  +----------------------+---------------------------------+-------------------------+
//  | header (24 octets)   | types, one after the other      | strings, each with its  |
//  |                      |                                 | terminating zero        |
//  +----------------------+---------------------------------+-------------------------+
//
// and each type is
//
//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  +---------------------------------------------------------------+
//  |                 name, an offset into the strings              |
//  +-+---------+-------------------+-------------------------------+
//  |f|   ...   | kind | ...        |       number of entries       |
//  +-+---------+-------------------+-------------------------------+
//  |           size in octets, or the type this one is made of     |
//  +---------------------------------------------------------------+
//  |          entries: members, values, parameters                 |
//
// all in host order. Types are numbered from 1 as they come; 0 is void.

/// The types of a kernel: where a member of a structure is, what the values of an enumeration are
/// called. Only an index of the types is made at first; the rest is looked up when it is asked for.
package struct BTF: Sendable {
  private let bytes: [UInt8]
  /// Where the strings are in `bytes`.
  private let strings: Range<Int>
  /// Where each type begins in `bytes`, by its number.
  private let starts: [UInt32]
  /// What each type is, by its number: scanning these octets alone is what makes a lookup fast.
  private let kinds: [UInt8]

  private static let magic: UInt16 = 0xeb9f
  private static let headerLength = 24
  private static let typeLength = 12
  /// Types nested deeper than this are a loop.
  private static let maximumDepth = 32
  /// Octets of a pointer. BTF does not say; nftrace is built for 64-bit kernels alone.
  private static let pointerSize = 8

  /// `BTF_KIND_…`: each kind's number.
  private enum Kind {
    static let void: UInt8 = 0
    static let integer: UInt8 = 1
    static let pointer: UInt8 = 2
    static let array: UInt8 = 3
    static let structure: UInt8 = 4
    static let union: UInt8 = 5
    static let enumeration: UInt8 = 6
    static let typedef: UInt8 = 8
    static let volatile: UInt8 = 9
    static let const: UInt8 = 10
    static let restrict: UInt8 = 11
    static let functionPrototype: UInt8 = 13
    static let variable: UInt8 = 14
    static let section: UInt8 = 15
    static let float: UInt8 = 16
    static let declarationTag: UInt8 = 17
    static let typeTag: UInt8 = 18
    static let enumeration64: UInt8 = 19

    /// Octets of `count` entries behind a type of this kind; nil for a kind nobody has defined yet,
    /// whose length is unknown.
    static func entryLength(_ kind: UInt8, _ count: Int) -> Int? {
      switch kind {
      case integer, variable, declarationTag: 4
      case array: 12
      case structure, union, section, enumeration64: 12 * count
      case enumeration, functionPrototype: 8 * count
      case pointer...typeTag: 0
      default: nil
      }
    }
  }

  /// Makes the index of the octets of a BTF file. Throws where they are cut short, are not of this
  /// machine's byte order, or have a kind of type that is not known.
  package init(_ bytes: [UInt8]) throws(WireError) {
    var reader = ByteReader(bytes.span)
    guard try reader.littleEndian() as UInt16 == Self.magic else {
      throw WireError("no BTF: its first two octets are others", at: 0)
    }
    try reader.skip(2)
    let header: UInt32 = try reader.littleEndian()
    guard header >= Self.headerLength else { throw WireError("BTF header too short", at: 4) }
    let types = try Self.section(&reader, after: Int(header), in: bytes.count)
    strings = try Self.section(&reader, after: Int(header), in: bytes.count)

    var starts: [UInt32] = [0]
    var kinds: [UInt8] = [Kind.void]
    // A type has about 25 octets.
    starts.reserveCapacity(types.count / 24)
    kinds.reserveCapacity(types.count / 24)
    var position = types.lowerBound
    while position < types.upperBound {
      guard types.upperBound - position >= Self.typeLength else {
        throw WireError("BTF type cut short", at: position)
      }
      let info = Self.u32(bytes, position + 4)
      let kind = UInt8(info >> 24 & 0x1f)
      guard let length = Kind.entryLength(kind, Int(info & 0xffff)) else {
        throw WireError("BTF type of unknown kind \(kind)", at: position)
      }
      guard types.upperBound - position >= Self.typeLength + length else {
        throw WireError("BTF type's entries cut short", at: position)
      }
      starts.append(UInt32(truncatingIfNeeded: position))
      kinds.append(kind)
      position += Self.typeLength + length
    }
    self.bytes = bytes
    self.starts = starts
    self.kinds = kinds
  }

  /// The next two fields of the header, offset and length, as a range of the file.
  private static func section(
    _ reader: inout ByteReader, after header: Int, in count: Int
  ) throws(WireError) -> Range<Int> {
    let at = reader.offset
    let offset: UInt32 = try reader.littleEndian()
    let length: UInt32 = try reader.littleEndian()
    let start = header + Int(offset)
    guard start + Int(length) <= count else {
      throw WireError("BTF section reaches behind the end of the file", at: at)
    }
    return start..<(start + Int(length))
  }

  // MARK: Structures

  /// A member of a structure.
  package struct Field: Sendable, Equatable {
    /// Octets from the beginning of the structure.
    package var offset: Int
    /// Its size in octets.
    package var size: Int

    /// A field with this place.
    package init(offset: Int, size: Int) {
      self.offset = offset
      self.size = size
    }
  }

  /// Where a member is: "sk_buff.dev", "net.ns.inum". The first part names a structure, each of the
  /// others a member of what was there, held by value; names of unnamed structures and unions are
  /// left out, as they are in C. Nil if there is no such member, or if it is a bit field.
  package func field(_ path: String) -> Field? {
    var parts = path.split(separator: ".")[...]
    guard let name = parts.popFirst(), !parts.isEmpty,
      var type = type(named: name, [Kind.structure, Kind.union])
    else { return nil }
    var bits = 0
    for part in parts {
      var searched: Set<Int> = []
      guard let found = member(Array(part.utf8), of: type, &searched) else { return nil }
      bits += found.bits
      type = found.type
    }
    // Programs that read it have 32 bits for its place.
    guard bits % 8 == 0, bits / 8 <= Int32.max, let size = size(of: type) else { return nil }
    return Field(offset: bits / 8, size: size)
  }

  /// A member's distance from the beginning of the structure, in bits, and its type. Nil for bit
  /// fields. `searched` are the types that have been looked through: what has no such member at one
  /// place has none at another.
  private func member(
    _ name: [UInt8], of type: Int, _ searched: inout Set<Int>, depth: Int = 0
  ) -> (bits: Int, type: Int)? {
    let type = resolved(type)
    guard depth < Self.maximumDepth,
      kinds[type] == Kind.structure || kinds[type] == Kind.union, searched.insert(type).inserted
    else { return nil }
    let hasBitFields = info(type) >> 31 != 0
    for index in 0..<count(type) {
      let entry = entry(type, index, 12)
      let memberType = Int(Self.u32(bytes, entry + 4))
      let place = Self.u32(bytes, entry + 8)
      let bits = Int(hasBitFields ? place & 0xff_ffff : place)
      if isString(at: Self.u32(bytes, entry), name) {
        return hasBitFields && place >> 24 != 0 ? nil : (bits, memberType)
      }
      if Self.u32(bytes, entry) == 0,
        let inner = member(name, of: memberType, &searched, depth: depth + 1)
      {
        return (bits + inner.bits, inner.type)
      }
    }
    return nil
  }

  /// The size of a type in octets; nil for those that have none.
  private func size(of type: Int, depth: Int = 0) -> Int? {
    let type = resolved(type)
    switch kinds[type] {
    case Kind.pointer: return Self.pointerSize
    case Kind.array:
      guard depth < Self.maximumDepth,
        let element = size(of: Int(Self.u32(bytes, entry(type, 0, 12))), depth: depth + 1)
      else { return nil }
      let product = element.multipliedReportingOverflow(
        by: Int(Self.u32(bytes, entry(type, 0, 12) + 8)))
      return product.overflow ? nil : product.partialValue
    case Kind.integer, Kind.structure, Kind.union, Kind.enumeration, Kind.enumeration64, Kind.float:
      return Int(target(type))
    default: return nil
    }
  }

  // MARK: Enumerations

  /// The names of an enumeration's values; nil if there is no such enumeration. Of several names for
  /// one value the first counts.
  package func enumeration(_ name: String) -> [Int64: String]? {
    guard let type = type(named: name, [Kind.enumeration, Kind.enumeration64]) else { return nil }
    let isWide = kinds[type] == Kind.enumeration64
    let isSigned = info(type) >> 31 != 0
    var names: [Int64: String] = [:]
    for index in 0..<count(type) {
      let entry = entry(type, index, isWide ? 12 : 8)
      let low = Self.u32(bytes, entry + 4)
      let value: Int64 =
        if isWide {
          Int64(bitPattern: UInt64(Self.u32(bytes, entry + 8)) << 32 | UInt64(low))
        } else {
          isSigned ? Int64(Int32(bitPattern: low)) : Int64(low)
        }
      if names[value] == nil { names[value] = string(at: Self.u32(bytes, entry)) }
    }
    return names
  }

  // MARK: Functions

  /// The types of the parameters of a pointer to a function that has a name of its own, each as in C
  /// without `struct` and `const`: "sk_buff *", "skb_drop_reason". Nil if there is no such pointer.
  ///
  /// `btf_trace_NAME` is one for every tracepoint; its first parameter is not the tracepoint's.
  package func parameters(ofPointer name: String) -> [String]? {
    guard let typedef = type(named: name[...], [Kind.typedef]) else { return nil }
    let pointer = resolved(typedef)
    guard kinds[pointer] == Kind.pointer else { return nil }
    let function = resolved(Int(target(pointer)))
    guard kinds[function] == Kind.functionPrototype else { return nil }
    return (0..<count(function)).map { index in
      spelling(Int(Self.u32(bytes, entry(function, index, 8) + 4)))
    }
  }

  private func spelling(_ type: Int) -> String {
    var type = strippedOfQualifiers(type)
    var stars = ""
    while kinds[type] == Kind.pointer, stars.count < Self.maximumDepth {
      stars += "*"
      type = strippedOfQualifiers(Int(target(type)))
    }
    let name = type == 0 ? "void" : string(at: Self.u32(bytes, Int(starts[type])))
    return stars.isEmpty ? name : "\(name) \(stars)"
  }

  // MARK: Types

  /// The first type of this name and one of these kinds.
  private func type(named name: Substring, _ wanted: [UInt8]) -> Int? {
    let name = Array(name.utf8)
    return kinds.indices.first {
      wanted.contains(kinds[$0]) && $0 > 0 && isString(at: Self.u32(bytes, Int(starts[$0])), name)
    }
  }

  private func type(named name: String, _ wanted: [UInt8]) -> Int? {
    type(named: name[...], wanted)
  }

  /// What a type is when `typedef`, `const` and their like are taken off; void for a number that
  /// there is not.
  private func resolved(_ type: Int) -> Int {
    var type = strippedOfQualifiers(type)
    var depth = 0
    while kinds[type] == Kind.typedef, depth < Self.maximumDepth {
      type = strippedOfQualifiers(Int(target(type)))
      depth += 1
    }
    return type
  }

  private func strippedOfQualifiers(_ type: Int) -> Int {
    var type = type
    for _ in 0..<Self.maximumDepth {
      guard type < kinds.count else { return 0 }
      switch kinds[type] {
      case Kind.volatile, Kind.const, Kind.restrict, Kind.typeTag: type = Int(target(type))
      default: return type
      }
    }
    return 0
  }

  private func info(_ type: Int) -> UInt32 { Self.u32(bytes, Int(starts[type]) + 4) }
  private func count(_ type: Int) -> Int { Int(info(type) & 0xffff) }
  /// The third field: a size in octets, or a type.
  private func target(_ type: Int) -> UInt32 { Self.u32(bytes, Int(starts[type]) + 8) }
  /// Where an entry of `size` octets begins; the index knows that they are there.
  private func entry(_ type: Int, _ index: Int, _ size: Int) -> Int {
    Int(starts[type]) + Self.typeLength + index * size
  }

  // MARK: Octets

  private static func u32(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
    UInt32(bytes[offset]) | UInt32(bytes[offset + 1]) << 8 | UInt32(bytes[offset + 2]) << 16
      | UInt32(bytes[offset + 3]) << 24
  }

  /// Whether the string at this offset is `name`, to its terminating zero.
  private func isString(at offset: UInt32, _ name: [UInt8]) -> Bool {
    let start = strings.lowerBound + Int(offset)
    let end = start + name.count
    guard end < strings.upperBound, bytes[end] == 0 else { return false }
    for index in 0..<name.count where bytes[start + index] != name[index] { return false }
    return true
  }

  /// The string at this offset; "" for one behind the end.
  private func string(at offset: UInt32) -> String {
    let start = strings.lowerBound + Int(offset)
    guard start < strings.upperBound else { return "" }
    return String(decoding: bytes[start..<strings.upperBound].prefix { $0 != 0 }, as: UTF8.self)
  }
}
