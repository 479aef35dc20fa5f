import App
import ArgumentParser
import Kernel
import Report
import Trace

struct RecordingsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "recordings", _superCommandName: Nftrace.name,
    abstract: "List what was recorded and is kept, or remove it.",
    discussion: """
      What setups of all network namespaces of this machine recorded, and the last ping: nothing of \
      that is removed by itself, also when the namespace is gone. 'nftrace show NAME' shows one of \
      them. How large each may become says --limit of 'nftrace setup'.

      What a recorder is writing is not removed: 'nftrace teardown' ends it.
      """)

  @Option(
    help: ArgumentHelp(
      "Remove this recording; may be given several times.", valueName: "name"))
  var remove: [String] = []

  @Flag(help: "Remove all recordings that are not being written.")
  var removeAll = false

  @OptionGroup var shared: SharedOptions

  mutating func validate() throws {
    if removeAll, !remove.isEmpty {
      throw ValidationError("--remove and --remove-all exclude each other")
    }
    if !shared.namespaces.isEmpty {
      throw ValidationError("recordings are those of all network namespaces: no --netns")
    }
  }

  func run() throws {
    try SharedOptions.takeBackLeftovers()
    // The first to ask namespaces which they are.
    try Privileges.keep([.system, .bounding], writing: [StateDirectory.path])
    try StateDirectory.checkReadable("see what is recorded")
    if removeAll || !remove.isEmpty {
      try removeSome()
    } else {
      try list()
    }
  }

  private func list() throws {
    let recordings = try RecordingFiles.all()
    let namespaces = NamespaceNames(LiveSurveyor())
    try Privileges.keep([])
    if shared.json {
      try Output.print(
        RecordingsText.json("recordings", recordings.map { ($0, namespaces.name(of: $0)) }))
    } else {
      let text = RecordingsText(style: shared.style)
      let lines = text.lines(recordings.map { ($0, namespaces.name(of: $0)) })
      if !lines.isEmpty { try Output.print(lines) }
    }
    if recordings.isEmpty {
      Output.complain("nothing is recorded in \(StateDirectory.path)")
      Output.exit(1)
    }
  }

  private func removeSome() throws {
    guard FileIdentity(StateDirectory.path) != nil else { return try say([], kept: []) }
    // No setup is to give it another name meanwhile.
    let lock = try SetupFiles.lock()
    let recordings = try RecordingFiles.all()
    var chosen = recordings
    if !removeAll {
      chosen = []
      for name in remove {
        let file = Self.fileName(name)
        guard let recording = recordings.first(where: { $0.name == file }) else {
          throw UsageError(
            "there is no recording '\(name)'; there "
              + (recordings.isEmpty
                ? "is none" : "are \(recordings.map(\.name).joined(separator: ", "))"))
        }
        if let writer = recording.writer {
          throw UsageError(
            "\(recording.name) is being written by process \(writer.process): 'nftrace teardown' "
              + "in its network namespace ends it")
        }
        if !chosen.contains(where: { $0.name == file }) { chosen.append(recording) }
      }
    }
    let removed = chosen.filter { !$0.isBeingWritten }
    for recording in removed { try RecordingFiles.remove(recording) }
    _ = lock
    try say(removed, kept: chosen.filter(\.isBeingWritten))
  }

  /// A name as it was typed: with or without its directory and its ending.
  private static func fileName(_ text: String) -> String {
    let directory = StateDirectory.path + "/"
    let name = text.hasPrefix(directory) ? String(text.dropFirst(directory.count)) : text
    return name.hasSuffix(".pcapng") ? name : name + ".pcapng"
  }

  private func say(_ removed: [KeptRecording], kept: [KeptRecording]) throws {
    for recording in kept {
      Output.complain(
        "\(recording.name) is kept: process \(recording.writer?.process ?? 0) is writing it")
    }
    if shared.json {
      try Output.print(
        JSONValue.object(
          JSONObjects.head("recordings") + [
            ("removed", .array(removed.map { .string($0.name) })),
            ("octets", .int(removed.reduce(0) { $0 + $1.octets })),
            ("kept", .array(kept.map { .string($0.name) })),
          ]))
      return
    }
    if removed.isEmpty { return try Output.print("nothing to remove") }
    for recording in removed {
      try Output.print("removed \(recording.name), \(Octets.text(recording.octets))")
    }
  }
}

extension RecordingFiles {
  /// Removes the files of a recording.
  static func remove(_ recording: KeptRecording) throws(KernelError) {
    for file in recording.files { try StateFile.remove(file) }
  }
}

extension StateDirectory {
  /// Throws where it may not be looked into: what cannot be seen is not nothing.
  static func checkReadable(_ attempt: String, help: String = "") throws(KernelError) {
    guard StateFile.isReadable(path) else {
      throw KernelError(
        cannot: "\(attempt) in \(path)",
        help: "it may only be read by root: run as root (sudo)\(help)")
    }
  }
}
