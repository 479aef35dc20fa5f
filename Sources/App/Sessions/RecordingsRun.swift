internal import Kernel
internal import Report
internal import Trace

/// Lists what was recorded and is kept, or removes it. Each returns the exit code.
package struct RecordingsRun {
  private let options: OutputOptions
  private let surveyor: any NamespaceSurveyor
  private let rights: any Rights

  /// Asks this surveyor what namespaces are called.
  package init(_ options: OutputOptions, _ surveyor: any NamespaceSurveyor, _ rights: any Rights) {
    self.options = options
    self.surveyor = surveyor
    self.rights = rights
  }

  /// Lists all: 1 if there is none.
  package func list() throws -> Int32 {
    let recordings = try RecordingFiles.all()
    let namespaces = NamespaceNames(surveyor)
    try rights.keep([])
    let facts = recordings.map {
      RecordingFacts(recording: $0, namespace: namespaces.name(of: $0)).statements
    }
    if options.json {
      try tell([
        Statement("netns", .null), Statement("recordings", .array(facts.map(\.object))),
      ])
    } else {
      let lines = facts.flatMap { options.isQuiet ? Array($0.lines.prefix(1)) : $0.lines }
      if !lines.isEmpty { try Output.print(lines) }
    }
    if recordings.isEmpty { Output.complain("nothing is recorded in \(StateDirectory.path)") }
    return recordings.isEmpty ? 1 : 0
  }

  /// Removes those of these names; without names all that are not being written.
  package func remove(_ names: [String]) throws {
    guard FileIdentity(StateDirectory.path) != nil else { return try say([], kept: []) }
    // No setup is to give it another name meanwhile.
    let lock = try SetupFiles.lock()
    let recordings = try RecordingFiles.all()
    let chosen = names.isEmpty ? recordings : try Self.choose(names, of: recordings)
    let removed = chosen.filter { !$0.isBeingWritten }
    for recording in removed {
      for file in recording.files { try StateFile.remove(file) }
    }
    _ = lock
    try say(removed, kept: chosen.filter(\.isBeingWritten))
  }

  private static func choose(
    _ names: [String], of recordings: [KeptRecording]
  ) throws -> [KeptRecording] {
    var chosen: [KeptRecording] = []
    for name in names {
      let file = fileName(name)
      guard let recording = recordings.first(where: { $0.name == file }) else {
        let there =
          recordings.isEmpty ? "is none" : "are \(recordings.map(\.name).joined(separator: ", "))"
        throw UsageError("there is no recording '\(name)'; there \(there)")
      }
      if let writer = recording.writer {
        throw UsageError(
          "\(recording.name) is being written by process \(writer.process): 'nftrace teardown' "
            + "in its network namespace ends it")
      }
      if !chosen.contains(where: { $0.name == file }) { chosen.append(recording) }
    }
    return chosen
  }

  /// A name as it was typed: with or without its directory and its ending.
  private static func fileName(_ text: String) -> String {
    let directory = StateDirectory.path + "/"
    let name = text.hasPrefix(directory) ? String(text.dropFirst(directory.count)) : text
    return name.hasSuffix(".pcapng") ? name : name + ".pcapng"
  }

  private func say(_ removed: [KeptRecording], kept: [KeptRecording]) throws(KernelError) {
    for recording in kept {
      Output.complain(
        "\(recording.name) is kept: process \(recording.writer?.process ?? 0) is writing it")
    }
    let words = removed.map { StyledLine("removed \($0.name), \(Octets.text($0.octets))") }
    try tell([
      Statement(
        "removed", .strings(removed.map(\.name)),
        .lines(removed.isEmpty ? ["nothing to remove"] : words)),
      Statement("octets", .int(removed.reduce(0) { $0 + $1.octets })),
      Statement("kept", .strings(kept.map(\.name))),
    ])
  }

  private func tell(_ statements: [Statement]) throws(KernelError) {
    if options.json {
      try Output.print(.object(JSONObjects.head("recordings") + statements.members))
    } else {
      try Output.tell(statements)
    }
  }
}
