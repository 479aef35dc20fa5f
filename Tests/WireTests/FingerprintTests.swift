import Testing
import Wire

struct FingerprintTests {
  /// The numbers of draft-eastlake-fnv, appendix C.
  @Test(arguments: [
    ("", UInt64(0xcbf2_9ce4_8422_2325)), ("a", 0xaf63_dc4c_8601_ec8c),
    ("foobar", 0x8594_4171_f739_67e8),
  ]) func itIsFNV1a(text: String, value: UInt64) {
    var sum = Fingerprint()
    sum.add(text.utf8)
    #expect(sum.value == value)
  }

  @Test func piecesDoNotCountAndSeedsDo() {
    var (pieces, seeded) = (Fingerprint(), Fingerprint(seed: 7))
    for piece in ["foo", "", "bar"] {
      pieces.add(piece.utf8)
      seeded.add(piece.utf8)
    }
    #expect(pieces.value == 0x8594_4171_f739_67e8)
    #expect(seeded.value != pieces.value)
  }
}
