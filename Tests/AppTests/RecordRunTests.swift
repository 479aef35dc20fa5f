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

    /// What it tells of what it counts.
    final class Metrics: MetricsSink {
      private(set) var texts: [String] = []
      var failure: KernelError?

      func put(_ text: String) throws(KernelError) {
        if let failure { throw failure }
        texts.append(text)
      }
    }
    let counted = Metrics()

    func metrics(_ path: String) -> any MetricsSink { counted }

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

  private func record(
    json: Bool = false, inBackground: Bool = false, metrics: String? = nil
  ) throws -> Int32? {
    let options = OutputOptions(json: json, style: TextStyle(), netns: "red")
    return try state.within {
      try RecordRun(
        to: state.path("x.pcapng"), limit: 1 << 28, isBackground: inBackground, options, host,
        metrics: metrics
      ).run()
    }
  }

  @Test func whatIsCountedIsToldEachFewSecondsAndAtTheEnd() throws {
    try setUp()
    machine.clock.signals = [(machine.clock.now + 12_000_000_000, 2)]
    #expect(try record(metrics: state.path("n.prom")) == 2)
    let told = host.counted.texts.map { $0.contains(#"nftrace_recorder_up{netns="red"} 1"#) }
    #expect(told == [true, true, true, false])
    // Its directory can be written when rights are given up.
    #expect(host.directories.count == 3)
    #expect(try state.within { try machine.files.load() }?.counts == false)
  }

  @Test func thatItCannotBeToldIsSaidOnce() throws {
    try setUp()
    machine.clock.signals = [(machine.clock.now + 12_000_000_000, 2)]
    host.counted.failure = KernelError(cannot: "write n.prom", function: "write", errno: 28)
    #expect(try record(metrics: state.path("n.prom")) == 2)
    let said = state.heard.errors.split(separator: "\n").filter { $0.contains("n.prom") }
    #expect(said.count == 1 && said[0].hasSuffix("recording goes on"), "\(said)")
    #expect(state.heard.output == "0 packets, 0 events, 0 lost: \(state.path("x.pcapng"))\n")
  }

  @Test func whatWasRecordedIsSaid() throws {
    try setUp()
    #expect(try record() == 2)
    #expect(state.heard.output == "0 packets, 0 events, 0 lost: \(state.path("x.pcapng"))\n")
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
