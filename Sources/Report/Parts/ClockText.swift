internal import Trace
internal import Wire

/// How clocks of several machines differ, as the packets between them have told.
struct ClockText {
  let style: TextStyle

  /// "clocks against r1: r2 +1.5 ±7.5 µs, r3 -3600.000214 s ±12.0 µs".
  func lines(_ clocks: [ProbeResult.Clock], against here: Site) -> [StyledLine] {
    let told = clocks.map { clock in
      let ahead = clock.offset.ahead
      let sign = ahead < 0 ? "-" : "+"
      return "\(Escape.name(clock.site.name)) \(sign)\(span(ahead.magnitude, clock.offset.bound))"
    }
    let line = "clocks against \(Escape.name(here.name)): " + told.joined(separator: ", ")
    return TextLayout.wrapped(line, to: style.width, at: ", ", hanging: "  ").map {
      StyledLine($0, .faint)
    }
  }

  private func span(_ nanoseconds: UInt64, _ bound: UInt64) -> String {
    let limits = "\(style.unicode ? "±" : "+-")\(Phrases.microseconds(bound)) \(style.micro)"
    if nanoseconds < 1_000_000 { return "\(Phrases.microseconds(nanoseconds)) \(limits)" }
    let micros = nanoseconds.later(by: 500) / 1000
    let rest = "\(micros % 1_000_000)"
    let zeros = String(repeating: "0", count: 6 - rest.count)
    return "\(micros / 1_000_000).\(zeros)\(rest) s \(limits)"
  }
}
