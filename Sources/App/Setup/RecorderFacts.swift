internal import Kernel
package import Report
package import Trace

/// What there is to say of a recorder.
package struct RecorderFacts {
  private let recorder: RecorderState
  /// Octets of its recording; nil where nobody looked.
  private let octets: Int?

  /// Of this recorder.
  package init(_ recorder: RecorderState, octets: Int? = nil) {
    self.recorder = recorder
    self.octets = octets
  }

  /// The facts, with the words of status.
  package var statements: [Statement] {
    typealias S = Statement
    let again =
      "points laid out anew \(recorder.replans) times as the ruleset or interfaces changed, "
      + "tables installed again \(recorder.repairs) times after others removed them"
    let size = octets.map { "\(Octets.text($0)) of " } ?? "at most "
    return [
      S("process", .int(recorder.process), .lines(working)),
      S("alive", .bool(recorder.living != nil)), S("since", .int(Int(clamping: recorder.since))),
      S("ended", .int(recorder.ended)), S("error", .string(recorder.error)),
      S("session", .string(recorder.session), S.row(StyledLine(recorder.session))),
      S("limit", .int(recorder.limit), more: ", \(size)\(recorder.limit >> 20) MiB"),
    ] + counts(Statement.row("")) + [
      S(
        "dropped",
        .object([
          ("records", .int(recorder.dropped.records)), ("octets", .int(recorder.dropped.octets)),
        ]),
        more: recorder.saysHowFar ? ", \(recorder.dropped.records) dropped to keep to the size" : ""
      ),
      S("replans", .int(recorder.replans)),
      S(
        "repairs", .int(recorder.repairs),
        recorder.replans > 0 || recorder.repairs > 0 ? S.row(StyledLine(again)) : nil),
    ]
  }

  /// Whether it works, and if not, what became of it.
  private var working: [StyledLine] {
    let another: StyledLine = "'nftrace setup' with a subnet of it starts another"
    if recorder.living != nil {
      return [
        Statement.row(
          "recorder", "process \(recorder.process), since \(CalendarText.text(recorder.since))")
      ]
    }
    if let error = recorder.error {
      let moment = recorder.ended.map { ", at \(CalendarText.text($0))" } ?? ""
      return [
        Statement.row("recorder", "ended early\(moment): \(error);"), Statement.row(another),
      ]
    }
    let end = recorder.ended == nil ? "was killed" : "has ended"
    return [Statement.row("recorder", "process \(recorder.process) \(end); " + another)]
  }

  /// How many packets and events there are, behind `start`. Of a recorder that could not say how far it came, what is in its file is counted.
  private func counts(_ start: StyledLine) -> [Statement] {
    guard recorder.saysHowFar else {
      let tally = RecordingFiles.tally(of: recorder.session)
      return [
        Statement("packets", .null),
        Statement(
          "events", .null,
          start + Self.packets(tally.packets)
            + "\(Self.events(tally.events)) in the file; how many were lost is not known"),
        Statement("lost", .null), Statement("unwritten", .null),
      ]
    }
    return [
      Statement("packets", .int(recorder.packets)),
      Statement(
        "events", .int(recorder.events),
        start + (recorder.packets.map(Self.packets) ?? "") + Self.events(recorder.events)),
      Statement("lost", .int(recorder.lost), more: ", \(recorder.lost) lost"),
      Statement(
        "unwritten", .int(recorder.unwritten ?? 0),
        more: recorder.unwritten.map { ", \($0) could not be written" } ?? ""),
    ]
  }

  private static func packets(_ count: Int) -> StyledLine {
    "\(count) \(count == 1 ? "packet" : "packets"), "
  }

  private static func events(_ count: Int) -> String {
    "\(count) \(count == 1 ? "event" : "events")"
  }

  /// What it recorded, and where, in a line.
  package var summary: StyledLine {
    var line = counts("").lines.first ?? ""
    if recorder.dropped.records > 0 {
      line +=
        "; the oldest \(recorder.dropped.records) events were dropped to keep to "
        + "\(recorder.limit >> 20) MiB"
    }
    return line + ": \(recorder.session)"
  }
}
