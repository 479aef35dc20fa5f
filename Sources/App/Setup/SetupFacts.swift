internal import Kernel
package import Report
package import Trace

/// What there is to say of a setup: the facts are the same for setup and status.
package struct SetupFacts {
  private let state: SetupState
  private let recorder: RecorderState?
  /// What was found when somebody looked.
  private let look: Look?

  /// How a setup is found.
  package struct Look: Sendable {
    /// Whether the process that set up is still there.
    package var isProcessAlive: Bool
    /// How its tables are.
    package var tables: SetupCondition
    /// The program that holds the group.
    package var holder: String?
    /// Whether its TUN device is there.
    package var hasTun: Bool
    /// Octets of its recording.
    package var octets: Int
  }

  /// Of this setup. Without a look nothing is said of how it is found.
  package init(_ state: SetupState, _ recorder: RecorderState?, _ look: Look? = nil) {
    self.state = state
    self.recorder = recorder
    self.look = look
  }

  /// The facts, with the words of status.
  package var statements: [Statement] {
    typealias S = Statement
    return [
      S("subnets", .strings(state.subnets), S.row("watching", listed(state.subnets))),
      S(
        "since", .int(Int(clamping: state.since)),
        S.row("since", StyledLine(CalendarText.text(state.since)))),
      S("process", .int(state.process), more: ", by process \(state.process)"),
    ]
      + found {
        S("process_alive", .bool($0.isProcessAlive), more: $0.isProcessAlive ? ":" : ended)
      }
      + [
        S(
          "command_line", .strings(state.command),
          S.row(StyledLine(state.command.joined(separator: " "), .command))),
        S("points", .int(state.points.count), S.row("points", "\(state.points.count)")),
        S(
          "tables", .string(SetupTables.name),
          more: " in the tables inet and netdev \(SetupTables.name)"),
      ] + found { S("state", .string($0.tables.rawValue), more: $0.tables.words) }
      + [
        S("backend", .string(state.backend)),
        S(
          "group", .int(state.group),
          S.row("group", state.group.map { "NFLOG \($0)" } ?? "none: lines of the kernel log")),
      ] + found { S("group_holder", .string($0.holder), more: holder($0)) }
      + [
        tun,
        S(
          "masquerade", .strings(state.masquerade),
          state.masquerade.isEmpty ? nil : S.row("masquerade", listed(state.masquerade))),
        S(
          "left_out", .string(state.leftOut),
          state.leftOut.map { S.row("left out", "the SSH connection \($0)") }),
        S("forward", .bool(state.forward), state.forward ? "forwarding switched on" : nil),
        S("session", .string(recorder?.session ?? state.session)),
        recording,
      ] + found { S("session_octets", .int($0.octets)) }
  }

  private var ended: StyledLine { ", which has ended:" }

  private func listed(_ texts: [String]) -> StyledLine { StyledLine(texts.joined(separator: ", ")) }

  private func found(_ statement: (Look) -> Statement) -> [Statement] {
    look.map { [statement($0)] } ?? []
  }

  private func holder(_ look: Look) -> StyledLine {
    if state.group == nil { return "" }
    return ", " + (look.holder.map { "read by \($0)" } ?? "read by nobody")
  }

  private var tun: Statement {
    guard let tun = state.tun else { return Statement("tun", .null) }
    return Statement(
      "tun",
      of: [
        Statement("name", .string(tun.name), Statement.row("TUN", StyledLine(tun.name))),
        Statement("addresses", .strings(tun.addresses), more: " " + listed(tun.addresses)),
        Statement(
          "made", .bool(tun.isOurs), more: tun.isOurs ? ", made by setup" : ", the user's own"),
        .words(.more(look?.hasTun == false ? "; it is gone" : "")),
      ])
  }

  private var recording: Statement {
    guard let recorder else {
      return Statement(
        "recorder", .null,
        state.group == nil ? nil : Statement.row("recorder", "none; 'nftrace record FILE' is one"))
    }
    return Statement("recorder", of: RecorderFacts(recorder, octets: look?.octets).statements)
  }
}
