/// Hands lines on as text, in pieces: what thousands of packets are told in need not be in memory twice.
enum TextPieces {
  /// Octets of a piece, of which the last line may be longer.
  private static let most = 1 << 16

  /// Hands on these lines, each with its end.
  static func put(_ lines: [String], _ output: (String) throws -> Void) throws {
    var piece = ""
    for line in lines {
      piece += line
      piece += "\n"
      guard piece.utf8.count >= most else { continue }
      try output(piece)
      piece = ""
    }
    if !piece.isEmpty { try output(piece) }
  }
}
