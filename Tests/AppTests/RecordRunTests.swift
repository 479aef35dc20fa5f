import Kernel
import Report
import Schema
import Simulator
import Testing
import Trace
import Wire

@testable import App

/// The command around a recorder.
struct RecordRunTests {
  /// A machine on which somebody records.
  final class Host: RecorderHost {
    let machine: SimulatedMachine
    let recorder: SimulatedRecorder
    var identity: ProcessIdentity? = ProcessIdentity(process: 7, start: 8)
    private(set) var directories: [String] = []
    private(set) var files: [(path: String, isOurs: Bool)] = []
    /// To whom it was said that it works: whether that was setup.
    private(set) var told: [Bool] = []

    init(_ machine: SimulatedMachine) {
      self.machine = machine
      recorder = SimulatedRecorder(
        OpeningListing(links: [], addresses: [], chains: []), loop: machine.clock)
    }

    var loop: any EventLoop { machine.clock }

    func store() throws(KernelError) -> any SetupStore { machine.files }

    func kernel(
      of setup: SetupState, writing directories: [String]
    ) throws(KernelError) -> any RecorderKernel {
      self.directories = directories
      return recorder
    }

    func file(_ path: String, isOurs: Bool) throws(KernelError) -> any RecordingMedium {
      files.append((path, isOurs))
      return SimulatedMedium()
    }

    func sayReady(toSetup: Bool) { told.append(toSetup) }
  }

  let machine = SimulatedMachine()
  let state: TemporaryState
  let host: Host

  init() throws {
    state = try TemporaryState()
    host = Host(machine)
  }

  private func setUp(_ backend: SetupBackend = .nflog) throws {
    try state.within {
      try SetupRun.run(
        SetupRequest(
          subnets: Subnets(parsing: ["10.77.2.0/24"]), backend: backend, record: false,
          limit: 1 << 28, options: OutputOptions(json: false, style: TextStyle())),
        in: [ChosenNamespace()], machine)
    }
    machine.clock.signals = [(machine.clock.now + 2_000_000_000, 2)]
  }

  private func record(json: Bool = false, inBackground: Bool = false) throws -> Int32? {
    let options = OutputOptions(json: json, style: TextStyle(), netns: "red")
    return try state.within {
      try RecordRun(
        to: state.path("x.pcapng"), limit: 1 << 28, isBackground: inBackground, options, host
      ).run()
    }
  }

  @Test func whatWasRecordedIsSaid() throws {
    try setUp()
    #expect(try record() == 2)
    #expect(state.heard.output == "0 events, 0 lost: \(state.path("x.pcapng"))\n")
    #expect(host.told == [false])
    #expect(host.directories == [state.directory, state.directory])
    #expect(host.files.map(\.isOurs) == [false])
  }

  @Test func jsonSaysTheSame() throws {
    try setUp()
    #expect(try record(json: true) == 2)
    #expect(JSONSchema.nftrace.faults(in: state.heard.output) == [])
    let members = try JSONMembers(state.heard.output)
    #expect(members["netns"] == #""red""#)
    #expect(members["recorder.events"] == "0")
  }

  @Test func inTheBackgroundNothingIsSaid() throws {
    try setUp()
    #expect(try record(inBackground: true) == 2)
    #expect(host.told == [true])
    #expect(host.files.map(\.isOurs) == [true])
    #expect(state.heard.output == "" && state.heard.errors == "")
  }

  @Test func aNamespaceThatIsGoneEndsIt() throws {
    try setUp()
    machine.clock.signals = []
    host.recorder.isHeld = false
    #expect(try record() == nil)
    #expect(state.heard.errors.contains("ended, for \(Recorder.deleted)"))
  }

  @Test func whatCannotBeRecordedIsRefused() throws {
    func refusal() -> String {
      #expect(throws: UsageError.self) { _ = try record() }?.message ?? ""
    }
    #expect(refusal().hasPrefix("nothing is set up in this network namespace"))
    try setUp(.log)
    #expect(refusal().hasPrefix("the setup here writes to the kernel log"))
    try state.within {
      try TeardownRun(Subnets(), machine).run(
        in: [ChosenNamespace()], OutputOptions(json: false, style: TextStyle()))
    }
    try setUp()
    let process = try #require(ProcessIdentity.current)
    try state.within {
      try machine.files.save(
        RecorderState(
          process: process.process, start: process.start, session: "/x", limit: 1, since: 0))
    }
    #expect(refusal().hasPrefix("this setup is recorded already, by process"))
    #expect(host.files.isEmpty && host.told.isEmpty)
    // What setup starts takes its place.
    #expect(try record(inBackground: true) == 2)
    host.identity = nil
    #expect(throws: KernelError.self) { try record(inBackground: true) }
  }
}
