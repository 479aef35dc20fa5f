/// Which trace something is part of, and under which of its spans: the context that programs hand on.
///
/// As W3C Trace Context writes it in `traceparent`, https://www.w3.org/TR/trace-context/#traceparent-header:
///
///     00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
///     version, trace id, id of the span above, flags
package struct TraceContext: Sendable, Hashable {
  /// What all spans of the trace have in common, 16 octets; never 0.
  package let traceID: UInt128
  /// The span, 8 octets; never 0.
  package let spanID: UInt64
  /// Bit 0: who is above may have recorded the trace. Others have no meaning yet, or are handed on.
  package let flags: UInt8

  /// The flag `sampled`.
  package static let sampled: UInt8 = 1

  /// A context of these numbers; nil if one of them is 0, which none is.
  package init?(traceID: UInt128, spanID: UInt64, flags: UInt8 = sampled) {
    guard traceID != 0, spanID != 0 else { return nil }
    self.traceID = traceID
    self.spanID = spanID
    self.flags = flags
  }

  /// A new span under `parent`, or of a trace of its own where there is none.
  package init(under parent: TraceContext?, using generator: inout some RandomNumberGenerator) {
    traceID = parent?.traceID ?? .random(in: 1 ... .max, using: &generator)
    spanID = .random(in: 1 ... .max, using: &generator)
    flags = parent?.flags ?? Self.sampled
  }

  /// The span of a probe, by its sequence number: the last 4 octets of the span id.
  package func probe(_ sequence: UInt32) -> TraceContext {
    let id = spanID & ~UInt64(UInt32.max) | UInt64(sequence)
    return TraceContext(traceID: traceID, spanID: id == 0 ? spanID : id, flags: flags)!
  }

  /// Reads a `traceparent`; nil if it is none. Of a version to come, what this one has is read, as is asked for
  /// (section 4.3, "Versioning of traceparent").
  package init?(traceParent text: String) {
    let parts = text.split(
      separator: "-", maxSplits: 4, omittingEmptySubsequences: false)
    guard parts.count >= 4, let version: UInt8 = Self.number(parts[0]), version != 0xff,
      version > 0 || parts.count == 4,
      let traceID: UInt128 = Self.number(parts[1]), let spanID: UInt64 = Self.number(parts[2]),
      let flags: UInt8 = Self.number(parts[3])
    else { return nil }
    self.init(traceID: traceID, spanID: spanID, flags: flags)
  }

  /// As `traceparent` has it, 55 octets.
  package var traceParent: String {
    "00-\(traceIDText)-\(spanIDText)-\(Self.text(flags))"
  }

  /// The trace id in 32 hexadecimal digits.
  package var traceIDText: String { Self.text(traceID) }

  /// The span id in 16 hexadecimal digits.
  package var spanIDText: String { Self.text(spanID) }

  /// All of its hexadecimal digits, in lower case.
  package static func text(_ number: some FixedWidthInteger) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: number.bitWidth / 4 - digits.utf8.count) + digits
  }

  /// A number of all its digits, in lower case.
  private static func number<Number: FixedWidthInteger>(_ text: Substring) -> Number? {
    guard text.utf8.count == Number.bitWidth / 4,
      text.utf8.allSatisfy({
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
          || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
      })
    else { return nil }
    return Number(text, radix: 16)
  }
}

// In a payload.
extension TraceContext {
  /// Octets of a `traceparent`, and of the version that it begins with.
  static let length = 55
  static let versionLength = 3

  /// The number of the probe that octets begin with the context of; nil where it is another trace, or another command of
  /// the same.
  func sequence(in octets: ArraySlice<UInt8>) -> Int? {
    guard octets.count >= Self.length else { return nil }
    let text = traceParent.utf8
    let digits = octets.startIndex + Self.numberOffset..<octets.startIndex + Self.numberOffset + 8
    guard octets.prefix(Self.numberOffset).elementsEqual(text.prefix(Self.numberOffset)) else {
      return nil
    }
    return String(validating: octets[digits], as: UTF8.self).flatMap { Int($0, radix: 16) }
  }

  /// Where the last eight digits of the span's id begin, in which a probe's number is.
  private static let numberOffset = 44
}

extension TraceContext: JSONCoded {
  init(json: JSONValue) throws(JSONFault) {
    guard case .string(let text) = json, let context = TraceContext(traceParent: text) else {
      throw .unfit("")
    }
    self = context
  }

  var asJSON: JSONValue { .string(traceParent) }
}
