import Testing
import Wire

/// Names that need not be text.
struct OctetsTests {
  @Test(arguments: [
    [], [0x65, 0x74, 0x68, 0x30], Array("é→😀".utf8), [0xff], [0xc3], [0xc3, 0x28], [0xe2, 0x82],
    [0x61, 0xf0, 0x9f, 0x98, 0x62], [0xed, 0xa0, 0x80], [0xc0, 0x80], [0xf4, 0x8f, 0xba, 0x80],
    [0xf4, 0x90, 0x80, 0x80], [0x80, 0x80],
  ])
  func octetsComeBack(_ octets: [UInt8]) {
    #expect(String(octets: octets).octets == octets)
  }

  @Test func differentNamesStayDifferent() {
    #expect(String(octets: [0xff]) != String(octets: [0xfe]))
    #expect(String(octets: "é".utf8) == "é")
    // What stands for an octet stands for nothing else.
    #expect(String(octets: "\u{10feff}".utf8) != String(octets: [0xff]))
  }
}
