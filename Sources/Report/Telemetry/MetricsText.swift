package import Trace
internal import Wire

/// What a recorder counts, as Prometheus reads it: the text format 0.0.4,
/// https://prometheus.io/docs/instrumenting/exposition_formats/
package struct MetricsText {
  private var lines: [String] = []
  /// What each series has in common.
  private let common: [(String, String)]

  /// The text of a recorder of this namespace, if one was asked for; `isUp` is one that goes on. `unread` says how many
  /// times counters could not be read.
  package static func text(
    _ counts: DropCounts, _ state: RecorderState, version: String, netns: String?, isUp: Bool
  ) -> String {
    var text = MetricsText(common: netns.map { [("netns", $0)] } ?? [])
    let drops = counts.drops
    text.family(
      "nftrace_dropped_packets_total", "counter",
      "Packets of what is watched that a rule or a policy dropped, or that did not come out of a base chain."
    )
    for drop in drops {
      text.sample(
        "nftrace_dropped_packets_total",
        place(drop) + [("reason", drop.reason.rawValue)], drop.packets)
    }
    text.family(
      "nftrace_rule_info", "gauge",
      "The rule behind a handle, in the words of the tool that made it.")
    for drop in drops {
      guard let rule = drop.rule else { continue }
      text.sample("nftrace_rule_info", place(drop) + [("rule", rule)], 1)
    }
    text.family(
      "nftrace_points_packets_total", "counter",
      "Packets of what is watched that came by a point of nftrace's.")
    for (point, packets) in counts.passes {
      text.sample(
        "nftrace_points_packets_total",
        [("hook", point.hook.rawValue), ("point", point.label)], packets)
    }
    text.add("nftrace_recorder_up", "gauge", "Whether the recorder goes on.", isUp ? 1 : 0)
    text.add(
      "nftrace_recorder_events_total", "counter", "Messages of the kernel that were recorded.",
      UInt64(clamping: state.events))
    text.add(
      "nftrace_recorder_events_lost_total", "counter",
      "Messages that the kernel had to throw away: drops among them are counted as unattributed.",
      UInt64(clamping: state.lost))
    text.add(
      "nftrace_recorder_replans_total", "counter",
      "How often the points were laid out anew, for the ruleset was another.",
      UInt64(clamping: state.replans))
    text.add(
      "nftrace_recorder_repairs_total", "counter",
      "How often somebody had removed nftrace's rules.", UInt64(clamping: state.repairs))
    text.add(
      "nftrace_recorder_start_time_seconds", "gauge", "When the recorder began, since the epoch.",
      state.since)
    text.family("nftrace_build_info", "gauge", "Which nftrace it is.")
    text.sample("nftrace_build_info", [("version", version)], 1)
    return text.lines.joined(separator: "\n") + "\n"
  }

  private init(common: [(String, String)]) { self.common = common }

  private static func place(_ drop: DropCounts.Drops) -> [(String, String)] {
    [
      ("hook", drop.hook), ("family", drop.family), ("table", drop.table), ("chain", drop.chain),
      ("handle", drop.handle),
    ]
  }

  private mutating func add(_ name: String, _ type: String, _ help: String, _ value: UInt64) {
    family(name, type, help)
    sample(name, [], value)
  }

  private mutating func family(_ name: String, _ type: String, _ help: String) {
    lines.append("# HELP \(name) \(help)")
    lines.append("# TYPE \(name) \(type)")
  }

  private mutating func sample(_ name: String, _ labels: [(String, String)], _ value: UInt64) {
    let labels = (common + labels).map { "\($0)=\"\(Self.escaped($1))\"" }
    let list = labels.isEmpty ? "" : "{\(labels.joined(separator: ","))}"
    lines.append("\(name)\(list) \(value)")
  }

  /// A label's value; what cannot be seen is written out.
  private static func escaped(_ value: String) -> String {
    var result = ""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "\"": result += "\\\""
      case "\n": result += "\\n"
      case _ where Escape.isHidden(scalar): result += Escape.written(scalar).escapedBackslashes
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}

extension String {
  fileprivate var escapedBackslashes: String {
    split(separator: "\\", omittingEmptySubsequences: false).joined(separator: "\\\\")
  }
}
