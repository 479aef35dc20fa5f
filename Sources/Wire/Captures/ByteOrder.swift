/// Which octet of an integer comes first in a file.
enum ByteOrder: Sendable {
  case little
  case big
}

extension ByteReader {
  /// An integer in the byte order of the file.
  @_lifetime(self: copy self)
  mutating func integer<T: FixedWidthInteger>(_ order: ByteOrder) throws(WireError) -> T {
    switch order {
    case .little: try littleEndian()
    case .big: try bigEndian()
    }
  }
}
