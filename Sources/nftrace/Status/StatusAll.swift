import App
import Glibc
import Kernel
import Report
import Trace

/// What there is of nftrace on the whole machine: in every network namespace that can be found, and
/// what is left of those that cannot.
struct StatusAll {
  /// A namespace, and what is in it.
  struct Space {
    var found: NamespaceSurvey.Found
    var findings: StatusFindings?
    /// Why it could not be looked into.
    var problem: String?

    /// Whether there is anything to say about it.
    var hasAny: Bool {
      guard let findings else { return false }
      return findings.setup != nil || !findings.orphans.isEmpty || !findings.hidden.isEmpty
    }
  }

  /// A setup that is written down, and whose namespace is not to be found.
  struct Lost {
    var key: String
    var setup: SetupState?
    var recorder: RecorderState?
    /// Whether it is known to be gone: else somebody may hold it whom nobody sees.
    var isGone: Bool
  }

  var spaces: [Space] = []
  var lost: [Lost] = []
  /// Recorders in the background that belong to no setup, and what they write.
  var recorders: [(process: Int32, session: String)] = []
  /// Journals of commands that are over and did not take back what they changed.
  var journals: [String] = []
  /// What could not be looked at.
  var hidden: [String] = []

  static func collect() -> StatusAll {
    var all = StatusAll()
    let survey = NamespaceSurvey()
    var keys: Set<String> = []
    for found in survey.found {
      var space = Space(found: found)
      do {
        let namespace = try found.open()
        let key = try namespace.within { () throws(KernelError) in
          try Leftovers.here()?.say(isNeeded: false)
          space.findings = try StatusFindings.collect(withRequirements: false)
          return try NamespacePlace.current().key
        }
        keys.insert(key)
      } catch {
        space.problem = "\(error)".split(separator: "\n").joined(separator: "; ")
        keys.insert("\(found.identity.inode)-")
      }
      all.spaces.append(space)
    }
    all.hidden = survey.broken.map { "\($0.name): \($0.reason)" }
    if survey.hiddenProcesses > 0 {
      let count = survey.hiddenProcesses
      let root = geteuid() == 0 ? "" : ": run as root (sudo)"
      all.hidden.append(
        "\(count) \(count == 1 ? "process" : "processes") could not be looked at, and "
          + "\(count == 1 ? "its network namespace" : "their network namespaces") may be missing"
          + root)
    }
    if StateFile.isReadable(StateDirectory.path) {
      do {
        try all.lookAtFiles(except: keys)
      } catch {
        all.hidden.append("\(error)".split(separator: "\n").joined(separator: "; "))
      }
    } else {
      all.hidden.append("\(StateDirectory.path) may only be read by root: run as root (sudo)")
    }
    return all
  }

  private mutating func lookAtFiles(except keys: Set<String>) throws(KernelError) {
    var sessions = Set(try RecordingFiles.writers().map(\.session))
    for key in try SetupFiles.keys() {
      let files = try SetupFiles.files(ofKey: key)
      let inode = key.prefix { $0 != "-" }
      if keys.contains(key) || keys.contains("\(inode)-") { continue }
      lost.append(
        Lost(
          key: key, setup: files.setup, recorder: files.recorder,
          isGone: try SetupFiles.isGone(files)))
    }
    for running in RunningProgram.all(called: RulesetWatch.program) {
      let words = running.arguments
      guard words.count > 2, words[1] == "record", words.contains("--background") else { continue }
      if sessions.insert(words[2]).inserted { recorders.append((running.process, words[2])) }
    }
    journals = try StateFile.names(in: StateDirectory.path).filter { name in
      let words = name.split(separator: "-")
      guard words.count == 3, words[0] == "journal", let process = Int32(words[1]) else {
        return false
      }
      return ProcessIdentity(process)?.isAlive != true
    }
  }

  // MARK: Text

  func lines(_ style: TextStyle) -> [StyledLine] {
    if style.verbosity == .quiet {
      let found = spaces.filter { $0.findings?.setup != nil }.compactMap { space in
        space.findings.flatMap { StatusText($0, style: style, requirements: false).lines.first }
          .map { StyledLine(space.found.description) + ": " + $0 }
      }
      return found.isEmpty ? [summary] : found
    }
    var blocks: [[StyledLine]] = []
    for space in spaces where space.hasAny {
      guard let findings = space.findings else { continue }
      let text = StatusText(
        findings, style: style, requirements: false, command: Self.entering(space.found))
      var lines = [StyledLine(space.found.description)] + text.lines.map { "  " + $0 }
      if findings.setup != nil {
        lines.append(
          Self.call(space.found).map { "  'nftrace teardown --netns \($0)' takes it back" }
            ?? "  'nftrace teardown' there takes it back: its name cannot be put into a command")
      }
      blocks.append(lines)
    }
    blocks += lost.map(lines)
    for (process, session) in recorders {
      blocks.append([
        "orphan     process \(process) records to \(session)",
        "           and belongs to no setup that is known here: 'kill \(process)' ends it",
      ])
    }
    for name in journals {
      blocks.append([
        "journal    \(name) is of a command that was killed",
        "           the next nftrace command in its network namespace takes back what it changed",
      ])
    }
    if !hidden.isEmpty { blocks.append(hidden.map { "hidden     \($0)" }) }
    let problems = spaces.filter { $0.problem != nil }
    if let first = problems.first {
      blocks.append([
        "hidden     \(problems.count) of \(spaces.count) network namespaces could not be looked into: "
          + (first.problem ?? "")
      ])
    }
    blocks.append([summary])
    return Array(blocks.joined(separator: [""]))
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

  private func lines(_ lost: Lost) -> [StyledLine] {
    let inode = lost.key.prefix { $0 != "-" }
    let name = lost.setup?.netns.map { "\($0) (net:[\(inode)])" } ?? "net:[\(inode)]"
    var lines: [StyledLine] = [
      "network namespace \(name) " + (lost.isGone ? "is gone" : "is not to be found")
    ]
    if let setup = lost.setup {
      lines.append(
        "  watched    \(setup.subnets.joined(separator: ", ")), since \(CalendarText.text(setup.since))"
      )
    }
    if let recorder = lost.recorder {
      let state = recorder.living.map { "process \($0.process) works" } ?? recorder.reason
      lines.append("  recorder   \(state ?? "ended")")
      let files = StateDirectory.files(ofRecording: recorder.session)
      if !files.isEmpty { lines.append("             \(recorder.session) is kept") }
    }
    lines.append(
      lost.isGone
        ? "  nothing is left to take back; the next setup or teardown forgets it"
        : "  if a process still has it: 'nftrace teardown --netns PID'; else remove\n"
          + "  \(StateDirectory.path)/setup-\(lost.key).*")
    return lines
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

  // MARK: JSON

  var json: JSONValue {
    .object(
      JSONObjects.head("status") + [
        ("netns", .null),
        ("kernel", .string(Machine.kernelRelease)),
        ("namespaces", .array(spaces.map(Self.json))),
        ("gone", .array(lost.map(Self.json))),
        (
          "recorders",
          .array(
            recorders.map {
              .object([("process", .int($0.process)), ("session", .string($0.session))])
            })
        ),
        ("journals", .array(journals.map { .string($0) })),
        ("hidden", .array(hidden.map { .string($0) })),
      ])
  }

  private static func json(_ space: Space) -> JSONValue {
    .object(
      [
        ("netns", .string(space.found.call)),
        ("inode", .int(space.found.identity.inode)),
        ("names", .array(space.found.names.map { .string($0) })),
        ("paths", .array(space.found.paths.map { .string($0) })),
        ("processes", .int(space.found.processes.count)),
        ("problem", .string(space.problem)),
      ] + (space.findings?.members ?? [("setup", .null)]).filter { $0.0 != "features" })
  }

  private static func json(_ lost: Lost) -> JSONValue {
    .object([
      ("inode", .int(Int(lost.key.prefix { $0 != "-" }))), ("gone", .bool(lost.isGone)),
      ("netns", .string(lost.setup?.netns)),
      ("setup", lost.setup.map { .object(SetupJSON.members($0, lost.recorder)) } ?? .null),
    ])
  }
}
