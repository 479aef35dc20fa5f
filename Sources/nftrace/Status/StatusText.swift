import App
import Kernel
import Report
import Trace
import Wire

/// What there is to say about nftrace in a namespace, as text.
struct StatusText {
  private let findings: StatusFindings
  private let style: TextStyle

  private let tellsRequirements: Bool
  /// What a command is to begin with to be run where this is.
  private let command: String

  init(
    _ findings: StatusFindings, style: TextStyle, requirements: Bool = true, command: String = ""
  ) {
    tellsRequirements = requirements
    self.command = command
    self.findings = findings
    self.style = style
  }

  private static let indent = String(repeating: " ", count: 11)

  var lines: [StyledLine] {
    var lines = setup()
    if style.verbosity == .quiet { return Array(lines.prefix(1)) }
    for orphan in findings.orphans {
      lines.append(
        "orphan     table \(orphan.family) \(Escape.name(orphan.name)) belongs to nobody"
          + ((try? Word.nft(orphan.name)).map {
            "; to remove it: \(command)nft delete table \(orphan.family) \($0.text)"
          } ?? ""))
    }
    for text in findings.hidden { lines.append("hidden     \(text)") }
    guard tellsRequirements else { return lines }
    if findings.elsewhere > 0 {
      let count = findings.elsewhere
      lines.append(
        "elsewhere  "
          + (count == 1
            ? "a setup in another network namespace"
            : "\(count) setups in other network namespaces")
          + ": 'nftrace status --all' looks there")
    }
    lines += ["", "This kernel, \(findings.kernel), and these rights:"]
    let width = findings.requirements.map(\.name.count).max() ?? 0
    for requirement in findings.requirements {
      let name = requirement.name + String(repeating: " ", count: width - requirement.name.count)
      let answer = requirement.isThere.map { $0 ? "yes" : "no " } ?? "?  "
      lines.append("  \(name)  \(answer)  for \(requirement.purpose)")
      if let help = requirement.help {
        lines.append("  \(String(repeating: " ", count: width + 7))\(help)")
      }
    }
    return lines
  }

  private func setup() -> [StyledLine] {
    guard let setup = findings.setup else {
      return [findings.hidden.isEmpty ? "nothing is set up here" : "no setup to be seen here"]
    }
    let alive = ProcessIdentity(setup.process)?.isAlive == true ? "" : ", which has ended"
    var lines: [StyledLine] = [
      "watching   \(setup.subnets.joined(separator: ", "))",
      "since      \(CalendarText.text(setup.since)), by process \(setup.process)\(alive):",
      "\(Self.indent)\(setup.command.joined(separator: " "))",
      "points     \(setup.points.count) in the tables inet and netdev \(SetupTables.name)"
        + condition,
    ]
    if let group = setup.group {
      lines.append(
        "group      NFLOG \(group), "
          + (findings.holder.map { "read by \($0)" } ?? "read by nobody"))
    } else {
      lines.append("group      none: lines of the kernel log")
    }
    if let tun = setup.tun { lines.append("TUN        \(describe(tun))") }
    if !setup.masquerade.isEmpty {
      lines.append("masquerade \(setup.masquerade.joined(separator: ", "))")
    }
    if setup.forward { lines.append("forwarding switched on") }
    return lines + recorder(setup)
  }

  private var condition: String {
    switch findings.tables {
    case .installed, .unknown: ""
    case .missing: ": THEY ARE GONE; 'nftrace setup' with a subnet of it installs them again"
    case .outdated:
      ": the ruleset or the interfaces changed since; 'nftrace setup' with a subnet of it follows"
    }
  }

  private func describe(_ tun: SetupState.Tun) -> String {
    let state = findings.tunIsThere ? "" : "; it is gone"
    return "\(tun.name) \(tun.addresses.joined(separator: ", "))"
      + (tun.isOurs ? ", made by setup" : ", the user's own") + state
  }

  private func recorder(_ setup: SetupState) -> [StyledLine] {
    guard let recorder = findings.recorder else {
      return setup.group == nil ? [] : ["recorder   none; 'nftrace record FILE' is one"]
    }
    var lines: [StyledLine] = []
    if recorder.living != nil {
      lines.append(
        "recorder   process \(recorder.process), since \(CalendarText.text(recorder.since))")
    } else if let error = recorder.error {
      lines.append(
        "recorder   ended early\(recorder.ended.map { ", at \(CalendarText.text($0))" } ?? ""): \(error);"
      )
      lines.append("\(Self.indent)'nftrace setup' with a subnet of it starts another")
    } else {
      lines.append(
        "recorder   process \(recorder.process) "
          + (recorder.ended == nil ? "was killed" : "has ended")
          + "; 'nftrace setup' with a subnet of it starts another")
    }
    lines += [
      "\(Self.indent)\(recorder.session), \(Octets.text(findings.sessionOctets)) of "
        + "\(recorder.limit >> 20) MiB",
      "\(Self.indent)\(RecordCommand.count(recorder))"
        + (recorder.saysHowFar
          ? ", \(recorder.dropped.records) dropped to keep to the size" : ""),
    ]
    if recorder.replans > 0 || recorder.repairs > 0 {
      lines.append(
        "\(Self.indent)points laid out anew \(recorder.replans) times as the ruleset or interfaces"
          + " changed, tables installed again \(recorder.repairs) times after others removed them")
    }
    return lines
  }
}
