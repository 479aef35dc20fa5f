import App
import Report
import Trace

/// Recordings as a table, and in JSON.
struct RecordingsText {
  let style: TextStyle

  /// Each has two lines: its name, for that is long and to be copied, and what is in it.
  func lines(_ recordings: [(KeptRecording, namespace: NamespaceName?)]) -> [StyledLine] {
    if style.verbosity == .quiet { return recordings.map { StyledLine($0.0.name) } }
    return recordings.flatMap { recording, namespace in
      [StyledLine(recording.name)] + facts(recording, namespace).map { "  " + $0 }
    }
  }

  private func facts(_ recording: KeptRecording, _ namespace: NamespaceName?) -> [String] {
    var what = namespace?.text ?? "the last ping"
    if recording.isOfPing, let netns = recording.header?.netns { what += ", in netns \(netns)" }
    if let plan = recording.header?.probe {
      what += ", to \(plan.destination)"
    } else if let targets = recording.header?.targets, !targets.isEmpty {
      what += ", of \(targets.joined(separator: ", "))"
    }
    let lost = recording.lost.map { $0 > 0 ? ", \($0) lost" : "" } ?? ""
    let events = recording.events.map { "\($0) \($0 == 1 ? "event" : "events")" }
    var lines = [
      what,
      (recording.period.map { "\($0)  \(events ?? "events not known")\(lost)" } ?? "nothing in it")
        + ", \(Octets.text(recording.octets))",
    ]
    if let writer = recording.writer {
      lines.append("being written by process \(writer.process)")
    } else if let ending = recording.ending {
      lines.append(ending)
    }
    if let unwritten = recording.end?.unwritten, unwritten > 0 {
      lines.append("\(unwritten) events could not be written")
    }
    if let dropped = recording.end?.dropped ?? recording.writer?.dropped, dropped.records > 0 {
      lines.append("the oldest \(dropped.records) events were dropped to keep to its size")
    }
    return lines
  }

  static func json(
    _ command: String, _ recordings: [(KeptRecording, namespace: NamespaceName?)]
  ) -> JSONValue {
    .object(
      JSONObjects.head(command) + [
        ("netns", .null),
        ("recordings", .array(recordings.map { json($0.0, $0.namespace) })),
      ])
  }

  private static func json(_ recording: KeptRecording, _ namespace: NamespaceName?) -> JSONValue {
    .object([
      ("name", .string(recording.name)), ("path", .string(recording.path)),
      ("kind", .string(recording.isOfPing ? "ping" : "recording")),
      ("netns", .string(namespace?.call ?? recording.header?.netns)),
      ("netns_inode", .int(recording.key.flatMap { Int($0.prefix { $0 != "-" }) })),
      ("gone", namespace.map { .bool($0.call == nil) } ?? .null),
      ("targets", .array((recording.header?.targets ?? []).map { .string($0) })),
      ("octets", .int(recording.octets)),
      ("first", .int(recording.first)), ("last", .int(recording.last)),
      ("events", .int(recording.events)), ("lost", .int(recording.lost)),
      ("unwritten", .int(recording.end?.unwritten)),
      ("dropped", .int((recording.end?.dropped ?? recording.writer?.dropped)?.records)),
      ("writer", .int(recording.writer.map { Int($0.process) })),
      ("ending", .string(recording.ending)),
    ])
  }
}
