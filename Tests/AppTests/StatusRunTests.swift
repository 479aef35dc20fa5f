import Kernel
import Report
import Schema
import Simulator
import Testing
import Trace
import Wire

@testable import App

/// What there is to be said of a machine that is played.
struct StatusRunTests {
  let machine = SimulatedMachine()
  let state: TemporaryState

  init() throws {
    state = try TemporaryState()
    machine.alive = [7]
  }

  private func setUp(
    _ subnet: String = "10.7.0.0/24", in spaces: [ChosenNamespace] = [ChosenNamespace()],
    tun: String? = "tun5", record: Bool = true, backend: SetupBackend? = nil
  ) throws {
    for space in machine.spaces {
      space.setup.recorderProcess = try #require(ProcessIdentity.current)
    }
    try state.within {
      try SetupRun.run(
        SetupRequest(
          subnets: Subnets(parsing: [subnet]), backend: backend, tun: tun,
          masquerade: tun != nil, forward: tun != nil, record: record, limit: 1 << 28,
          options: OutputOptions(json: false, style: TextStyle())),
        in: spaces, machine)
    }
  }

  @discardableResult
  private func status(
    in spaces: [ChosenNamespace] = [ChosenNamespace()], json: Bool = false,
    verbosity: TextStyle.Verbosity = .normal
  ) throws -> Int32 {
    let code = try state.within {
      try StatusRun(machine).run(
        in: spaces, OutputOptions(json: json, style: TextStyle(verbosity: verbosity)))
    }
    if json { #expect(JSONSchema.nftrace.faults(in: state.heard.output) == []) }
    return code
  }

  private func everywhere(
    json: Bool = false, verbosity: TextStyle.Verbosity = .normal
  ) throws {
    try state.within {
      try StatusRun(machine).runEverywhere(
        OutputOptions(json: json, style: TextStyle(verbosity: verbosity)))
    }
    if json { #expect(JSONSchema.nftrace.faults(in: state.heard.output) == []) }
  }

  private func said(_ text: String) -> Bool { state.heard.output.contains(text) }

  @Test func nothingIsSetUp() throws {
    machine.needs = [
      Requirement("nf_tables", "rules of its own", true),
      Requirement("tun", "probes", nil, help: "run as root"),
      Requirement("drop reasons", "why", false, help: "Linux 5.17"),
    ]
    #expect(try status() == 0)
    #expect(
      state.heard.output == """
        nothing is set up here

        This kernel, 6.1.0, and these rights:
          nf_tables     yes  for rules of its own
          tun           ?    for probes
                             run as root
          drop reasons  no   for why
                             Linux 5.17

        'ping --ioam' shows this host as a router: node 7, for what comes in by eth0 (number 1),
        in the namespace 0 of IOAM

        """)
    #expect(machine.noted.kept.last == [])
    try status(json: true)
    let members = try JSONMembers(state.heard.output)
    #expect(members["setup"] == "null")
    #expect(members["features.1.available"] == "null")
    #expect(members["features.2.help"] == #""Linux 5.17""#)
  }

  @Test func aSetupIsToldWhole() throws {
    try setUp()
    machine.current.holder = "nftrace (pid 9)"
    machine.needs = []
    try status()
    let process = try #require(ProcessIdentity.current).process
    let key = machine.current.place.key
    let session = "\(state.directory)/recording-\(key).pcapng"
    #expect(
      state.heard.output == """
        watching   10.7.0.0/24
        since      2027-01-15 08:00:00 UTC, by process 7:
                   nftrace setup
        points     14 in the tables inet and netdev nftrace_setup
        group      NFLOG 61441, read by nftrace (pid 9)
        TUN        tun5 192.168.69.100/24, made by setup
        masquerade 192.168.69.0/24
        forwarding switched on
        recorder   process \(process), since 1970-01-01 00:00:00 UTC
                   \(session), 0 KiB of 256 MiB
                   0 events, 0 lost, 0 dropped to keep to the size

        This kernel, 6.1.0, and these rights:

        'ping --ioam' shows this host as a router: node 7, for what comes in by eth0 (number 1),
        in the namespace 0 of IOAM

        """)
    try status(json: true)
    let members = try JSONMembers(state.heard.output)
    for (path, value) in [
      ("setup.subnets", #"["10.7.0.0/24"]"#), ("setup.since", "1800000000"),
      ("setup.process", "7"), ("setup.process_alive", "true"),
      ("setup.command_line", #"["nftrace","setup"]"#), ("setup.points", "14"),
      ("setup.tables", #""nftrace_setup""#), ("setup.state", #""installed""#),
      ("setup.group", "61441"), ("setup.group_holder", #""nftrace (pid 9)""#),
      ("setup.tun", #"{"addresses":["192.168.69.100/24"],"made":true,"name":"tun5"}"#),
      ("setup.masquerade", #"["192.168.69.0/24"]"#), ("setup.forward", "true"),
      ("setup.backend", #""nflog""#), ("setup.session", #""\#(session)""#),
      ("setup.session_octets", "0"), ("setup.recorder.alive", "true"),
      ("setup.recorder.limit", "268435456"), ("setup.recorder.events", "0"),
    ] {
      #expect(members[path] == value, "\(path)")
    }
    try status(verbosity: .quiet)
    #expect(state.heard.output == "watching   10.7.0.0/24\n")
  }

  @Test func whatChangedSinceIsSaid() throws {
    try setUp()
    let (setup, world) = (machine.current.setup, machine.current.setup.world)
    setup.world.devices["tun5"] = nil
    machine.alive = []
    try status()
    // A device is gone, and points stand at devices.
    #expect(said("14 in the tables inet and netdev nftrace_setup: the ruleset or the interfaces"))
    #expect(said("TUN        tun5 192.168.69.100/24, made by setup; it is gone\n"))
    #expect(said("by process 7, which has ended:\n"))
    #expect(said("NFLOG 61441, read by nobody\n"))
    setup.world = world
    setup.installed = []
    try status()
    #expect(said("nftrace_setup: THEY ARE GONE; 'nftrace setup' with a subnet of it"))
    machine.faults.failing = [.surroundings: (0, 1)]
    try status(json: true)
    #expect(try JSONMembers(state.heard.output)["setup.state"] == #""unknown""#)
    #expect(try JSONMembers(state.heard.output)["hidden.0"]?.contains("surroundings") == true)
  }

  /// A recorder works, is over, was killed or failed; or there is none.
  @Test func recordersAreTold() throws {
    try setUp(tun: nil, record: false)
    try status()
    #expect(said("recorder   none; 'nftrace record FILE' is one\n"))
    var recorder = RecorderState(
      process: 99_999_999, start: 1, session: state.path("recording-1-5.pcapng"),
      limit: 1 << 28, since: 1_800_000_000)
    func tell() throws {
      try state.within { try machine.files.save(recorder) }
      try status()
    }
    (recorder.events, recorder.lost, recorder.dropped.records) = (12, 3, 9)
    try tell()
    #expect(said("recorder   process 99999999 was killed; 'nftrace setup' with a subnet of it"))
    #expect(said("           0 packets, 0 events in the file; how many were lost is not known\n"))
    (recorder.ended, recorder.replans, recorder.unwritten) = (1_800_000_060, 2, 4)
    try tell()
    #expect(said("recorder   process 99999999 has ended; 'nftrace setup' with a subnet of it"))
    #expect(
      said("12 events, 3 lost, 4 could not be written, 9 dropped to keep to the size\n"))
    #expect(said("points laid out anew 2 times as the ruleset or interfaces changed, tables"))
    recorder.error = "the disk is full"
    try tell()
    #expect(
      said("recorder   ended early, at 2027-01-15 08:01:00 UTC: the disk is full;\n"))
    #expect(said("           'nftrace setup' with a subnet of it starts another\n"))
    try status(json: true)
    let members = try JSONMembers(state.heard.output)
    #expect(members["setup.recorder.error"] == #""the disk is full""#)
    #expect(members["setup.recorder.unwritten"] == "4")
  }

  /// All namespaces share a log: outside of the machine's first, lines say whose they are.
  @Test(arguments: [true, false]) func linesOfTheKernelLogSayWhoseTheyAre(isFirst: Bool) throws {
    machine.current.setup.missing = isFirst ? [] : ["net.netfilter.nf_log_all_netns"]
    try setUp(tun: nil, backend: .log)
    let setup = try state.within { try machine.files.load() }
    let inode = machine.current.place.inode
    #expect(setup?.logNamespace == (isFirst ? nil : "net:[\(inode)]"))
  }

  @Test func theKernelLogHasNoRecorder() throws {
    try setUp(tun: nil, backend: .log)
    #expect(said("'nftrace show --backend log' shows it"))
    #expect(state.heard.errors == "")
    // The setting is there in the machine's first namespace alone.
    machine.current.setup.missing = ["net.netfilter.nf_log_all_netns"]
    try setUp(tun: nil, backend: .log)
    #expect(state.heard.errors.contains("only where that has net.netfilter.nf_log_all_netns=1"))
    try status()
    #expect(said("group      none: lines of the kernel log\n"))
    #expect(!said("recorder"))
  }

  @Test func tablesOfNobodyAreNamed() throws {
    machine.current.tables = [
      TableName(1, "nftrace_7"), TableName(5, "nftrace_8"), TableName(1, "filter"),
      TableName(1, "nftrace_setup"), TableName(2, "nftrace_; reboot"),
    ]
    try status()
    #expect(
      said(
        "orphan     table netdev nftrace_8 belongs to nobody; to remove it: "
          + "nft delete table netdev nftrace_8\n"))
    #expect(said("table inet nftrace_setup belongs to nobody"))
    // A name that a shell would not take as one word is in no command.
    #expect(!said("nft delete table ip nftrace_; reboot"))
    #expect(!said("nftrace_7") && !said("filter"))
    try status(json: true)
    let members = try JSONMembers(state.heard.output)
    #expect(members["orphans.0"] == #"{"family":"netdev","table":"nftrace_8"}"#)
    try setUp(tun: nil)
    try status()
    #expect(!said("table inet nftrace_setup belongs"))
  }

  @Test func aStateThatIsDamagedIsSaid() throws {
    try setUp(tun: nil)
    let name = try #require(state.names.first { $0.hasSuffix(".json") })
    try state.put(Array("{".utf8), as: name)
    try status()
    #expect(said("no setup to be seen here\nhidden     the state of a setup here"))
    #expect(said("is damaged: 'nftrace teardown' takes back what it made"))
  }

  @Test func whatCouldNotBeTakenBackIsAnExitCode() throws {
    // Not written by nftrace: it must not be believed.
    try state.put(Array("nonsense".utf8), as: "journal-99999999-1")
    let code = try status()
    #expect(code == (state.heard.errors.isEmpty ? 0 : 3))
  }

  // MARK: Several namespaces

  @Test func whatIsNeededIsToldOnce() throws {
    let spaces = ["a", "b"].map { machine.add($0) }
    try setUp(in: [spaces[1]])
    try status(in: spaces)
    let parts = state.heard.output.components(separated: "\nnetwork namespace b\n")
    #expect(parts.count == 2)
    #expect(parts.first?.hasPrefix("network namespace a\nnothing is set up here\n") == true)
    #expect(parts.first?.contains("This kernel") == true)
    #expect(
      parts.first?.contains("a setup in another network namespace: 'nftrace status --all'") == true)
    #expect(parts.last?.hasPrefix("watching   10.7.0.0/24\n") == true)
    #expect(parts.last?.contains("This kernel") == false)
    try status(in: spaces, json: true)
    #expect(try JSONMembers(state.heard.output)["namespaces.1.setup.points"] == "14")
    #expect(try JSONMembers(state.heard.output)["namespaces.1.features.0.name"] != nil)
    machine["a"].refusal = KernelError(cannot: "enter a", errno: 1)
    #expect(throws: NamespaceFailure.self) { try status(in: spaces) }
  }

  @Test func theWholeMachineIsTold() throws {
    let spaces = ["red", "blue", "black"].map { machine.add($0) }
    try setUp(in: [spaces[0]], tun: nil)
    machine["blue"].refusal = KernelError(cannot: "enter blue", errno: 1)
    machine["black"].tables = [TableName(1, "nftrace_8")]
    machine["black"].found.names = []
    machine.spaces[3].found.processes = [4711]
    machine.broken = [("old", "there is nothing")]
    machine.hiddenProcesses = 2
    machine.programs = [
      RunningProgram(process: 50, arguments: ["nftrace", "record", "/x.pcapng", "--background"]),
      RunningProgram(process: 51, arguments: ["nftrace", "record", "/y.pcapng"]),
    ]
    try everywhere()
    #expect(said("network namespace red\n  watching   10.7.0.0/24\n"))
    #expect(said("\n  'nftrace teardown --netns red' takes it back\n\n"))
    #expect(
      said("orphan     table inet nftrace_8 belongs to nobody; to remove it: nsenter --net=/proc/"))
    #expect(said("nsenter --net=/proc/4711/ns/net nft delete table inet nftrace_8"))
    #expect(said("orphan     process 50 records to /x.pcapng\n"))
    #expect(!said("/y.pcapng"))
    #expect(said("hidden     old: there is nothing\n"))
    #expect(said("2 processes could not be looked at"))
    #expect(
      said("hidden     1 of 4 network namespaces could not be looked into: cannot enter blue"))
    #expect(
      state.heard.output.hasSuffix(
        "\n3 network namespaces looked into, nothing of nftrace in 1 of them\n"))
    #expect(!said("This kernel"))
    try everywhere(json: true)
    let members = try JSONMembers(state.heard.output)
    #expect(members["namespaces.1.setup.subnets"] == #"["10.7.0.0/24"]"#)
    #expect(members["namespaces.2.problem"]?.contains("cannot enter blue") == true)
    #expect(members["recorders"] == #"[{"process":50,"session":"/x.pcapng"}]"#)
    try everywhere(verbosity: .quiet)
    #expect(state.heard.output == "network namespace red: watching   10.7.0.0/24\n")
  }

  @Test func whatIsGoneIsTold() throws {
    let red = machine.add("red")
    try setUp(in: [red], tun: nil)
    let other = SimulatedMachine()
    func tell(json: Bool = false) throws -> String {
      try state.within {
        try StatusRun(other).runEverywhere(OutputOptions(json: json, style: TextStyle()))
      }
      return state.heard.output
    }
    let key = machine["red"].place.key
    var said = try tell()
    #expect(said.hasPrefix("network namespace net:[4026532001] is not to be found\n"))
    #expect(said.contains("  watched    10.7.0.0/24, since 2027-01-15 08:00:00 UTC\n"))
    #expect(said.contains("  recorder   process"))
    #expect(said.contains("else remove\n  \(state.directory)/setup-\(key).*\n"))
    let file = SetupFiles(namespace: machine["red"].place)
    try state.within {
      var recorder = try #require(try file.recorder())
      (recorder.error, recorder.ended) = (Recorder.deleted, 5)
      try file.save(recorder)
      try state.put([1], as: "recording-\(key).pcapng")
    }
    said = try tell()
    #expect(said.contains("] is gone\n"))
    #expect(said.contains("  recorder   ended early: "))
    #expect(said.contains("recording-\(key).pcapng is kept\n"))
    #expect(
      said.contains("  nothing is left to take back; the next setup or teardown forgets it\n"))
    let json = try tell(json: true)
    #expect(JSONSchema.nftrace.faults(in: json) == [])
    #expect(try JSONMembers(json)["gone.0.gone"] == "true")
    #expect(try JSONMembers(json)["gone.0.inode"] == "4026532001")
  }

  @Test func anEmptyMachineIsALine() throws {
    try everywhere()
    #expect(
      state.heard.output == "1 network namespace looked into: nothing is set up in it\n")
    machine.add("red")
    try everywhere(verbosity: .quiet)
    #expect(
      state.heard.output == "2 network namespaces looked into: nothing is set up in any\n")
    for space in machine.spaces { space.refusal = KernelError(cannot: "enter it", errno: 1) }
    try everywhere()
    #expect(state.heard.output.hasSuffix("no network namespace could be looked into\n"))
  }
}

extension String {
  fileprivate func components(separated separator: String) -> [Substring] {
    split(separator: separator, omittingEmptySubsequences: false)
  }
}
