internal import Wire

/// A DNS question, RFC 1035 section 4.1, by which a datagram is known: services that take what they do not
/// understand for noise answer it. It asks for an address of a name that nobody has (RFC 6761 section 6.4), and in
/// which the nonce and the number of the probe stand; so the answer, which repeats the question, has them as well.
enum DNSQuestion {
  /// The question of the probe `sequence`: `count` octets, but no fewer than `leastCount`.
  ///
  /// What is left to fill makes the name longer, and where no name is so long, there is padding (RFC 7830).
  static func octets(_ plan: ProbePlan, _ sequence: Int, count: Int) -> [UInt8] {
    let name = name(plan, sequence)
    let least = least(named: name.count)
    let rest = max(count - least, 0)
    let isPadded = name.count + rest > mostInLabel
    let filling = isPadded ? 0 : rest
    let recursionDesired: [UInt8] = [1, 0]
    var octets: [UInt8] = []
    octets.append(bigEndian: plan.identifier)
    octets += recursionDesired + [0, 1, 0, 0, 0, 0, 0, isPadded ? 1 : 0]
    octets.append(UInt8(name.count + filling))
    octets += name
    octets += (0..<filling).map { UInt8(97 + $0 % 26) }
    let address: [UInt8] = [0, plan.version == 6 ? 28 : 1, 0, 1]
    octets += [UInt8(domain.count)] + domain + [0] + address
    guard isPadded else { return octets }
    let header = 15
    let padding = rest - header
    // The root, OPT, answers of 1232 octets, then the option: its number and its length.
    octets += [0, 0, 41, 4, 208, 0, 0, 0, 0]
    octets.append(bigEndian: UInt16(clamping: padding + 4))
    octets += [0, 12]
    octets.append(bigEndian: UInt16(clamping: padding))
    return octets + Array(repeating: 0, count: padding)
  }

  /// The number of the probe whose question this is, or the answer to it. What a server asks others for, to answer
  /// it, has an identifier of its own.
  static func sequence(_ plan: ProbePlan, in octets: [UInt8]) -> Int? {
    if let context = plan.context, plan.isTraceParent {
      guard octets.starts(with: identifier(plan)), octets.count > nameOffset else { return nil }
      return context.sequence(in: octets[nameOffset...])
    }
    let end = nonceOffset + plan.mark.count
    guard octets.count >= end + digits, octets.starts(with: identifier(plan)),
      Array(octets[nonceOffset..<end]) == plan.mark
    else { return nil }
    return String(validating: octets[end..<end + digits], as: UTF8.self).flatMap {
      Int($0, radix: 16)
    }
  }

  /// Whether a message answers one.
  static func isAnswer(_ octets: [UInt8]) -> Bool { octets.count > 2 && octets[2] & 0x80 != 0 }

  /// Its identifier.
  static func identifier(_ plan: ProbePlan) -> [UInt8] {
    var octets: [UInt8] = []
    octets.append(bigEndian: plan.identifier)
    return octets
  }

  /// A nonce that may stand in a name, made of random bits. DNS does not tell letters from capitals.
  static func nonce(of random: UInt64) -> UInt64 {
    (0..<8).reduce(0) { $0 << 8 | UInt64(letters[Int(random >> (UInt64($1) * 5) & 31)]) }
  }

  /// Whether the plan's nonce may stand in a name, and its datagrams have room for a question.
  static func fits(_ plan: ProbePlan) -> Bool {
    plan.isTraceParent || plan.size >= leastCount && plan.mark.allSatisfy(letters.contains)
  }

  /// Where the nonce stands: at a multiple of four octets, as in all probes.
  static let nonceOffset = 16
  private static let prefix = Array("nft".utf8)
  private static let domain = Array("invalid".utf8)
  private static let letters = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)
  private static let digits = 8
  /// Where the name begins, behind its length.
  static let nameOffset = 13
  private static let leastCount = least(named: prefix.count + 8 + digits)
  /// Octets of a question in whose name a trace's context is.
  static let leastWithContext = least(named: TraceContext.length)
  private static let mostInLabel = 63

  private static func least(named count: Int) -> Int {
    nameOffset + count + 1 + domain.count + 1 + 4
  }

  /// What is asked for: a word of nftrace's, the nonce and the number; or a trace's context, which has these as well.
  private static func name(_ plan: ProbePlan, _ sequence: Int) -> [UInt8] {
    if let context = plan.context, plan.isTraceParent {
      return Array(context.probe(UInt32(truncatingIfNeeded: sequence)).traceParent.utf8)
    }
    return prefix + plan.mark + hexadecimal(sequence)
  }

  private static func hexadecimal(_ sequence: Int) -> [UInt8] {
    let text = Array(String(UInt32(truncatingIfNeeded: sequence), radix: 16).utf8)
    return Array(repeating: UInt8(ascii: "0"), count: digits - text.count) + text
  }
}
