extension String {
  /// Text of octets that need not be any: names in the kernel are what somebody chose. An octet that
  /// is no part of UTF-8 stands as a character for private use, U+10FE80 to U+10FEFF, so that names
  /// which differ stay different, and `octets` gives them back.
  package init(octets: some Collection<UInt8>) {
    if let text = String(validating: octets, as: UTF8.self), !text.hasOctets {
      self = text
      return
    }
    var scalars = String.UnicodeScalarView()
    var rest = octets[...]
    while let first = rest.first {
      // A character has one to four octets, and none is the beginning of another.
      let known = (1...4).lazy.compactMap { count -> (Unicode.Scalar, Int)? in
        guard let text = String(validating: rest.prefix(count), as: UTF8.self),
          let scalar = text.unicodeScalars.first, text.utf8.count == count,
          !Self.octetScalars.contains(scalar.value)
        else { return nil }
        return (scalar, count)
      }.first
      scalars.append(known?.0 ?? Unicode.Scalar(0x10fe00 + UInt32(first))!)
      rest = rest.dropFirst(known?.1 ?? 1)
    }
    self.init(scalars)
  }

  /// The octets that the text was made of.
  package var octets: [UInt8] {
    guard hasOctets else { return Array(utf8) }
    return unicodeScalars.flatMap { scalar -> [UInt8] in
      Self.octetScalars.contains(scalar.value)
        ? [UInt8(scalar.value & 0xff)] : Array(UTF8.encode(scalar)!)
    }
  }

  /// What stands for an octet that is no part of a character.
  package static var octetScalars: ClosedRange<UInt32> { 0x10fe80...0x10feff }

  private var hasOctets: Bool {
    utf8.contains(0xf4) && unicodeScalars.contains { Self.octetScalars.contains($0.value) }
  }
}
