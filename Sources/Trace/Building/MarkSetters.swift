/// Finds the rules behind which a packet had another mark than before.
enum MarkSetters {
  /// Notes it at the rules of all hops.
  static func note(_ hops: inout [Hop]) {
    var mark: UInt32 = 0
    for hop in hops.indices {
      for rule in hops[hop].rules.indices {
        guard let now = hops[hop].rules[rule].mark else { continue }
        hops[hop].rules[rule].setsMark = now != mark
        mark = now
      }
      mark = hops[hop].mark
    }
  }
}
