internal import Report
internal import Trace

/// What there is to say of a recording.
struct RecordingFacts {
  let recording: KeptRecording
  /// What its network namespace is called by now; nil for a ping.
  let namespace: NamespaceName?

  /// The facts. People get two lines or more: its name, for that is long and to be copied, and what is in it.
  var statements: [Statement] {
    typealias S = Statement
    let dropped = recording.dropped
    let unwritten = recording.end?.unwritten
    return [
      S("name", .string(recording.name), StyledLine(recording.name)),
      S("path", .string(recording.path)),
      S("kind", .string(recording.isOfPing ? "ping" : "recording")),
      S("netns", .string(namespace?.call ?? recording.header?.netns), "  " + StyledLine(whose)),
      S("netns_inode", .int(recording.key.flatMap { Int($0.prefix { $0 != "-" }) })),
      S("gone", namespace.map { .bool($0.call == nil) } ?? .null),
      S("targets", .strings(recording.header?.targets ?? []), more: StyledLine(targets)),
      S(
        "first", .int(recording.first),
        recording.period.map { "  \($0)  " } ?? "  nothing in it"),
      S("last", .int(recording.last)), counted("packets", recording.packets, packets),
      counted("events", recording.events, events),
      counted("lost", recording.lost, lost),
      S("octets", .int(recording.octets), more: ", \(Octets.text(recording.octets))"),
      S(
        "writer", .int(recording.writer.map { Int($0.process) }),
        recording.writer.map { "  being written by process \($0.process)" }),
      S("ending", .string(recording.ending), recording.ending.map { "  \($0)" }),
      S(
        "unwritten", .int(unwritten),
        unwritten ?? 0 > 0 ? "  \(unwritten ?? 0) events could not be written" : nil),
      S(
        "dropped", .int(dropped),
        dropped ?? 0 > 0
          ? "  the oldest \(dropped ?? 0) events were dropped to keep to its size" : nil),
    ]
  }

  private var whose: String {
    let what = namespace?.text ?? "the last ping"
    guard recording.isOfPing, let netns = recording.header?.netns else { return what }
    return "\(what), in netns \(netns)"
  }

  private var targets: String {
    if let plan = recording.header?.probe { return ", to \(plan.destination)" }
    let targets = recording.header?.targets ?? []
    return targets.isEmpty ? "" : ", of \(targets.joined(separator: ", "))"
  }

  /// How many there are is of no interest where nothing is in it.
  private func counted(_ key: String, _ count: Int?, _ words: StyledLine) -> Statement {
    Statement(key, .int(count), more: recording.period == nil ? "" : words)
  }

  private var packets: StyledLine {
    recording.packets.map { "\($0) \($0 == 1 ? "packet" : "packets"), " } ?? ""
  }

  private var events: StyledLine {
    recording.events.map { "\($0) \($0 == 1 ? "event" : "events")" }
      ?? "events not known"
  }

  private var lost: StyledLine {
    guard let lost = recording.lost, lost > 0 else { return "" }
    return ", \(lost) lost"
  }
}
