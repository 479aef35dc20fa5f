import Kernel
import Report
import Schema
import Simulator
import Testing
import Trace
import Wire

@testable import App

/// Setups that are taken down, on a machine that is played.
struct TeardownRunTests {
  let machine = SimulatedMachine()
  let state: TemporaryState

  init() throws { state = try TemporaryState() }

  private func setUp(
    _ subnets: [String], in spaces: [ChosenNamespace] = [ChosenNamespace()], json: Bool = false
  ) throws {
    try state.within {
      try SetupRun.run(
        SetupRequest(
          subnets: Subnets(parsing: subnets), tun: "tun5", masquerade: true, forward: true,
          limit: 1 << 28, options: OutputOptions(json: json, style: TextStyle())),
        in: spaces, machine)
    }
  }

  private func tearDown(
    _ subnets: [String] = [], in spaces: [ChosenNamespace] = [ChosenNamespace()],
    json: Bool = false, verbosity: TextStyle.Verbosity = .normal
  ) throws {
    try state.within {
      try TeardownRun(Subnets(parsing: subnets), machine).run(
        in: spaces, OutputOptions(json: json, style: TextStyle(verbosity: verbosity)))
    }
  }

  private var world: SimulatedSetup.World { machine.current.setup.world }

  @Test func everythingGoes() throws {
    let before = world
    try setUp(["10.7.0.0/24"])
    #expect(world != before)
    try tearDown()
    #expect(world == before)
    #expect(state.names == [])
    #expect(
      state.heard.output.hasPrefix(
        "no longer watching 10.7.0.0/24\n  recorded 0 packets, 0 events in the file; "))
    #expect(state.heard.output.contains("\n  the recorder was killed\n"))
    try tearDown()
    #expect(state.heard.output == "nothing to do: nothing is set up here\n")
  }

  @Test func aSubnetGoesAndTheRestStays() throws {
    try setUp(["10.7.0.0/24", "10.8.0.0/16"])
    let tun = world.devices["tun5"]
    try tearDown(["10.7.0.0/24"])
    #expect(state.heard.output == "no longer watching 10.7.0.0/24; still 10.8.0.0/16\n")
    #expect(world.watched == [Prefix("10.8.0.0/16")!])
    #expect(world.devices["tun5"] == tun && world.isRecording)
    #expect(try state.within { try machine.files.load()?.subnets } == ["10.8.0.0/16"])
    // The last takes everything with it.
    try tearDown(["10.8.0.0/16"])
    #expect(world == SimulatedSetup.World())
  }

  @Test func whatIsNotWatchedIsSaid() throws {
    try setUp(["10.7.0.0/16"])
    let before = world
    try tearDown(["10.7.1.0/24", "10.9.0.0/24"])
    #expect(state.heard.output == "nothing to do\n")
    #expect(
      state.heard.errors.contains(
        "10.7.1.0/24 is not set up here, but is part of 10.7.0.0/16, which is"))
    #expect(state.heard.errors.contains("10.9.0.0/24 is not set up here\n"))
    #expect(world == before)
  }

  /// Whatever fails, the rest is done, and what is left is known and taken back the next time.
  @Test(arguments: [Faults.Call.removeTables, .undo])
  func whatFailsIsTriedAgain(call: Faults.Call) throws {
    try setUp(["10.7.0.0/24"])
    machine.faults.failing = [call: (0, 12)]
    let error = #expect(throws: KernelError.self) { try tearDown() }
    #expect(error?.errno == 12)
    #expect(!world.isRecording)
    #expect((world.watched == nil) == (call == .undo))
    #expect((world.devices["tun5"] == nil) == (call == .removeTables))
    let left = try state.within { try machine.files.load() }
    #expect(left?.journals.count == (call == .undo ? 1 : 0))
    machine.faults.failing = [:]
    try tearDown()
    #expect(world == SimulatedSetup.World())
    #expect(state.names == [])
  }

  /// Where nobody knows what was set up, everything that is found is taken back.
  @Test func aDamagedStateIsNoObstacle() throws {
    try setUp(["10.7.0.0/24"])
    let name = try #require(state.names.first { $0.hasSuffix(".json") })
    try state.put(Array("{".utf8), as: name)
    // The simulator's journals are in memory: what they are called is in the directory.
    try state.put([], as: String(name.dropLast(5)) + ".0.journal")
    try tearDown(json: true)
    #expect(world == SimulatedSetup.World())
    #expect(state.heard.errors.contains("is damaged"))
    #expect(state.heard.output.contains(#""changed": true"#))
    #expect(JSONSchema.nftrace.faults(in: state.heard.output) == [])
  }

  @Test func tablesOfNobodyAreRemoved() throws {
    machine.current.setup.world.watched = [Prefix("10.7.0.0/24")!]
    try tearDown()
    #expect(state.heard.output == "removed tables nftrace_setup that nobody knew of\n")
    #expect(world == SimulatedSetup.World())
  }

  @Test func jsonSaysTheSame() throws {
    try setUp(["10.7.0.0/24", "10.8.0.0/16"])
    try tearDown(["10.7.0.0/24"], json: true)
    let output = state.heard.output
    #expect(JSONSchema.nftrace.faults(in: output) == [])
    let members = try JSONMembers(output)
    #expect(members["removed"] == #"["10.7.0.0/24"]"#)
    #expect(members["remaining"] == #"["10.8.0.0/16"]"#)
    #expect(members["changed"] == "true")
  }

  @Test func quietIsALine() throws {
    try setUp(["10.7.0.0/24"])
    try tearDown(verbosity: .quiet)
    #expect(state.heard.output == "no longer watching 10.7.0.0/24\n")
  }

  // MARK: Several namespaces

  @Test func eachIsTornDownWhateverBecomesOfOthers() throws {
    let spaces = ["a", "b", "c"].map { machine.add($0) }
    try setUp(["10.7.0.0/24"], in: spaces)
    #expect(spaces.allSatisfy { machine[$0.name!].setup.world.watched != nil })
    #expect(state.heard.output.contains("b: watching 10.7.0.0/24"))
    for name in ["a", "c"] {
      machine[name].refusal = KernelError(cannot: "enter \(name)", errno: 1)
    }
    let error = #expect(throws: NamespaceFailure.self) { try tearDown(in: spaces, json: true) }
    #expect(error?.name == "a")
    #expect(state.heard.errors.contains("in the network namespace c: cannot enter c"))
    #expect(machine["b"].setup.world == SimulatedSetup.World())
    #expect(machine["a"].setup.world != SimulatedSetup.World())
    // Of those that were, it is told as of several.
    #expect(JSONSchema.nftrace.faults(in: state.heard.output) == [])
    #expect(state.heard.output.contains(#""namespaces""#))
    for name in ["a", "c"] { machine[name].refusal = nil }
    try tearDown(in: spaces)
    #expect(state.heard.output.contains("b: nothing to do: nothing is set up here"))
    #expect(spaces.allSatisfy { machine[$0.name!].setup.world == SimulatedSetup.World() })
  }

  /// A setup of several is one in all of them, or in none.
  @Test func aSetupThatFailsInOneIsInNone() throws {
    let spaces = ["a", "b"].map { machine.add($0) }
    machine.faults.failing = [.createTun: (1, 12)]
    let error = #expect(throws: NamespaceFailure.self) {
      try setUp(["10.7.0.0/24"], in: spaces)
    }
    #expect(error?.name == "b")
    #expect(error?.consequence == "nothing is set up in any of them")
    #expect(machine["a"].setup.world == SimulatedSetup.World())
    #expect(machine["b"].setup.world == SimulatedSetup.World())
    #expect(state.names.allSatisfy { !$0.hasSuffix(".json") })
  }

  @Test func whatCannotBeTakenBackInOneIsTold() throws {
    let spaces = ["a", "b"].map { machine.add($0) }
    machine.faults.failing = [.createTun: (1, 12), .removeTables: (0, 13)]
    let error = #expect(throws: HalfDone.self) { try setUp(["10.7.0.0/24"], in: spaces) }
    #expect((error?.cause as? NamespaceFailure)?.name == "b")
    #expect(error?.failures.count == 1)
  }

  @Test func aSetupOfSeveralIsToldInJSON() throws {
    let spaces = ["a", "b"].map { machine.add($0) }
    try setUp(["10.7.0.0/24"], in: spaces, json: true)
    #expect(JSONSchema.nftrace.faults(in: state.heard.output) == [])
    #expect(state.heard.output.contains(#""netns": "b""#))
    #expect(machine.noted.kept.isEmpty)
    try setUp(["10.7.0.0/24"], json: true)
    #expect(JSONSchema.nftrace.faults(in: state.heard.output) == [])
    #expect(machine.noted.kept.count == 1)
  }
}
