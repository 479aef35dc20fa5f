import Fixtures
import Kernel
import Report
import Schema
import Simulator
import Testing
import Trace
import Wire

@testable import App

/// What is kept of recordings, and what they are called.
struct RecordingsRunTests {
  let machine = SimulatedMachine()
  let state: TemporaryState

  init() throws { state = try TemporaryState() }

  private func run(
    json: Bool = false, verbosity: TextStyle.Verbosity = .normal,
    _ body: (RecordingsRun) throws -> Int32
  ) throws -> Int32 {
    let options = OutputOptions(json: json, style: TextStyle(verbosity: verbosity))
    let code = try state.within { try body(RecordingsRun(options, machine, machine.noted)) }
    if json { #expect(JSONSchema.nftrace.faults(in: state.heard.output) == []) }
    return code
  }

  private func list(
    json: Bool = false, verbosity: TextStyle.Verbosity = .normal
  ) throws -> Int32 {
    try run(json: json, verbosity: verbosity) { try $0.list() }
  }

  private func remove(_ names: [String] = [], json: Bool = false) throws {
    _ = try run(json: json) {
      try $0.remove(names)
      return 0
    }
  }

  /// A ping, a recording of the namespace "red", and one of a namespace that is gone.
  private func fill() throws {
    machine.add("red")
    try state.put(try Fixtures.octets("healthy-nft-v4"), as: "last.pcapng")
    let session = try RecordedSession("recorded-udp-closed-port-v4")
    let octets =
      SessionFile.beginning(session.header)
      + session.records.filter { if case .note(.ended) = $0.content { false } else { true } }
      .flatMap { SessionFile.bytes($0) }
    try state.put(octets, as: "recording-\(machine["red"].place.key).pcapng")
    let end = RecordingEnd(
      reason: "the disk is full", events: 40, lost: 2, unwritten: 3,
      dropped: DroppedRecords(records: 5, octets: 900), ended: 1_800_000_000)
    try state.put(
      octets
        + SessionFile.bytes(Record(time: session.records.last!.time, .note(.ended(end)))),
      as: "recording-77-1.pcapng")
  }

  @Test func nothingIsKept() throws {
    #expect(try list() == 1)
    #expect(state.heard.errors.contains("nothing is recorded in \(state.directory)"))
    try remove()
    #expect(state.heard.output == "nothing to remove\n")
  }

  @Test func allIsListed() throws {
    try fill()
    #expect(try list() == 0)
    let lines = state.heard.output.split(separator: "\n").map(String.init)
    #expect(lines.contains("recording-4026532001-5.pcapng"))
    #expect(lines.contains { $0.hasPrefix("  network namespace red, of ") })
    #expect(lines.contains { $0.hasPrefix("  network namespace 77, which is gone") })
    #expect(lines.contains { $0.hasPrefix("  the last ping, ") && $0.contains(", to ") })
    #expect(
      lines.contains {
        $0.contains(" packets, ") && $0.contains(" events, 2 lost, ") && $0.hasSuffix(" KiB")
      })
    #expect(lines.contains("  its recorder did not say how it ended"))
    #expect(lines.contains("  ended early: the disk is full"))
    #expect(lines.contains("  3 events could not be written"))
    #expect(lines.contains("  the oldest 5 events were dropped to keep to its size"))
    #expect(machine.noted.kept == [[]])
    #expect(try list(verbosity: .quiet) == 0)
    #expect(
      Set(state.heard.output.split(separator: "\n"))
        == ["last.pcapng", "recording-4026532001-5.pcapng", "recording-77-1.pcapng"])
  }

  @Test func jsonSaysTheSame() throws {
    try fill()
    #expect(try list(json: true) == 0)
    let members = try JSONMembers(state.heard.output)
    let index = try #require(
      (0..<3).first { members["recordings.\($0).name"] == #""recording-77-1.pcapng""# })
    for (key, value) in [
      ("kind", #""recording""#), ("gone", "true"), ("netns_inode", "77"), ("lost", "2"),
      ("unwritten", "3"), ("dropped", "5"), ("ending", #""ended early: the disk is full""#),
      ("writer", "null"),
    ] {
      #expect(members["recordings.\(index).\(key)"] == value, "\(key)")
    }
  }

  @Test func oneIsRemoved() throws {
    try fill()
    try remove(["recording-77-1", state.path("last.pcapng")])
    #expect(state.heard.output.hasPrefix("removed recording-77-1.pcapng, "))
    #expect(state.names.filter { $0.hasSuffix(".pcapng") } == ["recording-4026532001-5.pcapng"])
    let error = #expect(throws: UsageError.self) { try remove(["other"]) }
    #expect(
      error?.message
        == "there is no recording 'other'; there are recording-4026532001-5.pcapng")
    try remove(json: true)
    #expect(try JSONMembers(state.heard.output)["removed"] == #"["recording-4026532001-5.pcapng"]"#)
    #expect(throws: UsageError.self) { try remove(["other"]) }
  }

  /// What is being written stays.
  @Test func whatIsWrittenStays() throws {
    try fill()
    let name = "recording-4026532001-5.pcapng"
    let process = try #require(ProcessIdentity.current)
    try state.within {
      try SetupFiles(namespace: machine["red"].place).save(
        RecorderState(
          process: process.process, start: process.start, session: state.path(name),
          limit: 1 << 28, since: 1_800_000_000))
    }
    _ = try list()
    #expect(state.heard.output.contains("  being written by process \(process.process)\n"))
    let error = #expect(throws: UsageError.self) { try remove([name]) }
    #expect(error?.message.contains("is being written by process") == true)
    try remove()
    #expect(
      state.heard.errors.contains("\(name) is kept: process \(process.process) is writing it"))
    #expect(state.names.filter { $0.hasSuffix(".pcapng") } == [name])
  }
}
