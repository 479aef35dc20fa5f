package import Kernel
internal import Report
package import Trace

/// The recordings there are, and what they are called.
package enum RecordingFiles {
  private static let prefix = "recording-"
  private static let ending = ".pcapng"

  /// All that are kept, the oldest first.
  package static func all() throws(KernelError) -> [KeptRecording] {
    let writers = try writers()
    var names: [String] = []
    for name in try StateFile.names(in: StateDirectory.path) {
      // The newer file of the two may be missing.
      let whole = name.hasSuffix(".1") ? String(name.dropLast(2)) : name
      guard isRecording(whole), !names.contains(whole) else { continue }
      names.append(whole)
    }
    return names.map { KeptRecording("\(StateDirectory.path)/\($0)", writers: writers) }
      .sorted { ($0.began ?? 0, $0.name) < ($1.began ?? 0, $1.name) }
  }

  /// Whether files of this name are recordings.
  package static func isRecording(_ name: String) -> Bool {
    name == StateDirectory.lastName || name.hasPrefix(prefix) && name.hasSuffix(ending)
  }

  /// The recorders that work, of whatever namespace.
  package static func writers() throws(KernelError) -> [RecorderState] {
    var writers: [RecorderState] = []
    for name in try StateFile.names(in: StateDirectory.path) where name.hasSuffix(".recorder") {
      guard let text = try StateFile.read("\(StateDirectory.path)/\(name)"),
        let state = RecorderState(json: text), state.living != nil
      else { continue }
      writers.append(state)
    }
    return writers
  }

  /// "4026532201-5" of "recording-4026532201-5.20261126T223300.pcapng".
  package static func key(ofName name: String) -> Substring? {
    guard name.hasPrefix(prefix) else { return nil }
    return name.dropFirst(prefix.count).prefix { $0 != "." }
  }

  /// The recordings of an earlier setup in the namespace with this key: not the one that its setup
  /// writes, or wrote last.
  package static func earlier(ofKey key: String) throws(KernelError) -> [KeptRecording] {
    try all().filter { $0.key.map(String.init) == key && $0.name != "\(prefix)\(key)\(ending)" }
  }

  /// Whether nothing happened while a recording was made, and it was all read: it is of no use to
  /// anybody.
  package static func isVoid(_ path: String) -> Bool {
    let recording = KeptRecording(path, writers: [])
    return recording.files.count == 1 && recording.octets < KeptRecording.part
      && recording.header != nil && recording.events == 0 && recording.lost == 0
      && recording.end.map { $0.reason == nil } == true
  }

  /// A name for what was recorded to `path`, which is no other's: with when it began.
  package static func keptName(of path: String) -> String {
    let base = path.dropLast(ending.count)
    let recording = KeptRecording(path, writers: [])
    let began = recording.began ?? Clock.realtime
    let stamp = CalendarText.stamp(began / 1_000_000_000)
    var name = "\(base).\(stamp)\(ending)"
    var number = 1
    while !StateDirectory.files(ofRecording: name).isEmpty {
      number += 1
      name = "\(base).\(stamp)-\(number)\(ending)"
    }
    return name
  }

  /// Gives a recording another name, which nothing has.
  package static func move(_ path: String, to other: String) throws(KernelError) {
    for ending in ["", ".1"] where FileIdentity(path + ending) != nil {
      try StateFile.rename(path + ending, to: other + ending)
    }
  }

  /// When the last message in a file was received, and how its recording ended, as it says.
  package static func tail(of file: String) -> (last: UInt64?, end: RecordingEnd?) {
    let part = KeptRecording.part
    return SessionTally.tail(FilePart.read(file, from: -part, count: part) ?? [])
  }

  /// Counts what is in all files of a recording.
  package static func tally(of path: String) -> SessionTally {
    var tally = SessionTally()
    for file in StateDirectory.files(ofRecording: path) {
      guard let file = try? InputFile(ours: file) else { continue }
      tally.begin()
      while let bytes = try? file.read(), !bytes.isEmpty { tally.feed(bytes) }
    }
    return tally
  }
}
