internal import Kernel
package import Report
internal import Trace

extension StatusAll {
  /// What there is to say. With `isQuiet`, to people no more than where something is set up.
  package func statements(isQuiet: Bool = false) -> [Statement] {
    let all = [
      Statement("netns", .null), Statement("kernel", .string(release)),
      Statement(
        "namespaces", .array(spaces.map { Self.statements($0).object }),
        .lines(spaces.filter(\.hasAny).flatMap { Self.statements($0).lines + [""] })),
      Statement(
        "gone", .array(lost.map { Self.statements($0).object }),
        .lines(lost.flatMap { Self.statements($0).lines + [""] })),
      Statement(
        "recorders", .array(recorders.map { Self.statements($0).object }),
        .lines(recorders.flatMap { Self.statements($0).lines + [""] })),
      Statement("journals", .strings(journals), .lines(journals.flatMap(Self.words))),
      Statement("hidden", .strings(hidden), .lines(hiddenWords)),
      .words(.lines([summary])),
    ]
    return isQuiet ? all.saying(["namespaces": .lines(brief)]) : all
  }

  /// A line for each setup.
  private var brief: [StyledLine] {
    let found = spaces.compactMap { space -> StyledLine? in
      guard let findings = space.findings, findings.setup != nil else { return nil }
      return findings.statements().lines.first.map { "\(space.found.description): " + $0 }
    }
    return found.isEmpty ? [summary] : found
  }

  private static func words(ofJournal name: String) -> [StyledLine] {
    [
      "journal    \(name) is of a command that was killed",
      "           the next nftrace command in its network namespace takes back what it changed",
      "",
    ]
  }

  private var hiddenWords: [StyledLine] {
    var lines: [StyledLine] = hidden.isEmpty ? [] : hidden.map { "hidden     \($0)" } + [""]
    let problems = spaces.compactMap(\.problem)
    if let first = problems.first {
      lines += [
        "hidden     \(problems.count) of \(spaces.count) network namespaces could not be looked into: \(first)",
        "",
      ]
    }
    return lines
  }

  private var summary: StyledLine {
    let looked = spaces.filter { $0.findings != nil }
    let empty = looked.count { !$0.hasAny }
    let what: StyledLine =
      "\(looked.count) network \(looked.count == 1 ? "namespace" : "namespaces") looked into"
    if looked.isEmpty { return "no network namespace could be looked into" }
    if empty == looked.count { return "\(what): nothing is set up in \(empty == 1 ? "it" : "any")" }
    return empty == 0 ? what : "\(what), nothing of nftrace in \(empty) of them"
  }

  private static func statements(_ recorder: (process: Int32, session: String)) -> [Statement] {
    [
      Statement(
        "process", .int(recorder.process), "orphan     process \(recorder.process)"),
      Statement("session", .string(recorder.session), more: " records to \(recorder.session)"),
      .words(
        .lines([
          "           and belongs to no setup that is known here: 'kill \(recorder.process)' ends it"
        ])),
    ]
  }

  // MARK: A namespace

  private static func statements(_ space: Space) -> [Statement] {
    let found = space.found
    let findings =
      space.findings?.statements(command: entering(found)) ?? [Statement("setup", .null)]
    var words = findings.lines.map { "  " + $0 }
    if space.findings?.setup != nil {
      words.append(
        call(found).map { "  'nftrace teardown --netns \($0)' takes it back" }
          ?? "  'nftrace teardown' there takes it back: its name cannot be put into a command")
    }
    return [
      Statement("netns", .string(found.call), StyledLine(found.description)),
      Statement("inode", .int(found.identity.inode)), Statement("names", .strings(found.names)),
      Statement("paths", .strings(found.paths)),
      Statement("processes", .int(found.processes.count)),
      Statement("problem", .string(space.problem)),
    ] + findings.saying([:]) + [.words(.lines(words))]
  }

  /// What `--netns` takes for it, if that can be said in a word of a shell.
  private static func call(_ found: NamespaceSurvey.Found) -> String? {
    let ways = found.names + found.paths + found.processes.prefix(1).map { "\($0)" }
    return ways.first(where: isWord)
  }

  /// What a command is to begin with to be run there.
  private static func entering(_ found: NamespaceSurvey.Found) -> String {
    if found.isOfMachine { return "" }
    let ways =
      found.names.map { "\(NetworkNamespace.directory)/\($0)" } + found.paths
      + found.processes.prefix(1).map { "/proc/\($0)/ns/net" }
    return ways.first(where: isWord).map { "nsenter --net=\($0) " }
      ?? "in that network namespace: "
  }

  /// Whether a shell takes it as it stands, and no program for an option.
  private static func isWord(_ text: String) -> Bool {
    !text.isEmpty && !text.hasPrefix("-")
      && text.utf8.allSatisfy { octet in
        switch octet {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "-"),
          UInt8(ascii: "_"), UInt8(ascii: "."):
          true
        default: false
        }
      }
  }

  // MARK: A namespace that is not to be found

  private static func statements(_ lost: Lost) -> [Statement] {
    let inode = lost.key.prefix { $0 != "-" }
    let name = lost.setup?.netns.map { "\($0) (net:[\(inode)])" } ?? "net:[\(inode)]"
    return [
      Statement("netns", .string(lost.setup?.netns), "network namespace \(name) "),
      Statement(
        "gone", .bool(lost.isGone), more: lost.isGone ? "is gone" : "is not to be found"),
      Statement("inode", .int(Int(inode))),
      Statement(
        "setup", lost.setup.map { SetupFacts($0, lost.recorder).statements.object } ?? .null,
        .lines(words(lost))),
      .words(
        .lines(
          lost.isGone
            ? ["  nothing is left to take back; the next setup or teardown forgets it"]
            : [
              "  if a process still has it: 'nftrace teardown --netns PID'; else remove",
              "  \(StateDirectory.path)/setup-\(lost.key).*",
            ])),
    ]
  }

  private static func words(_ lost: Lost) -> [StyledLine] {
    var lines: [StyledLine] = []
    if let setup = lost.setup {
      lines.append(
        "  watched    \(setup.subnets.joined(separator: ", ")), since \(CalendarText.text(setup.since))"
      )
    }
    if let recorder = lost.recorder {
      let state = recorder.living.map { "process \($0.process) works" } ?? recorder.reason
      lines.append("  recorder   \(state ?? "ended")")
      if !StateDirectory.files(ofRecording: recorder.session).isEmpty {
        lines.append("             \(recorder.session) is kept")
      }
    }
    return lines
  }
}
