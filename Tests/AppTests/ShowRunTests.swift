import Fixtures
import Foundation
import Kernel
import Report
import Schema
import Simulator
import Testing
import Trace
import Wire

@testable import App

/// What was recorded is shown, and what comes.
struct ShowRunTests {
  let machine = SimulatedMachine()
  let state: TemporaryState
  private static let ping = "healthy-dnat-nft-v4"
  private static let recorded = "recorded-flow-offloaded-v4"

  init() throws { state = try TemporaryState() }

  private func fixture(_ name: String) -> String {
    Fixtures.directory.appending(path: name).path
  }

  private func golden(_ name: String) throws -> String {
    try String(contentsOfFile: fixture(name + ".txt"), encoding: .utf8)
  }

  private func run(
    _ request: ShowRequest, _ body: (ShowRun) throws -> Int32
  ) throws -> Int32 {
    try state.within { try body(ShowRun(request, machine)) }
  }

  private func request(
    _ file: String? = nil, json: Bool = false, verbosity: TextStyle.Verbosity = .normal
  ) -> ShowRequest {
    ShowRequest(
      named: file.map { [$0] } ?? [],
      options: OutputOptions(json: json, style: TextStyle(unicode: true, verbosity: verbosity)))
  }

  private func show(
    _ request: ShowRequest, in spaces: [ChosenNamespace] = [ChosenNamespace()]
  ) throws -> Int32 {
    try run(request) { try $0.show(spaces) }
  }

  /// A message of a command that cannot do what was asked.
  private func refusal(_ body: () throws -> Int32) -> String {
    #expect(throws: UsageError.self) { _ = try body() }?.message ?? ""
  }

  // MARK: Files

  @Test func aFileIsTold() throws {
    #expect(try show(request(fixture(Self.ping + ".pcapng"))) == 0)
    #expect(state.heard.output == (try golden(Self.ping)))
    #expect(state.heard.errors == "")
    #expect(machine.noted.kept == [[]])
  }

  @Test func jsonIsOfTheSchema() throws {
    #expect(try show(request(fixture(Self.ping + ".pcapng"), json: true)) == 0)
    #expect(JSONSchema.nftrace.faults(in: state.heard.output) == [])
  }

  @Test func nothingMatches() throws {
    var request = request(fixture(Self.ping + ".pcapng"))
    request.filter = ExchangeFilter(from: Prefix("198.51.100.1"))
    #expect(try show(request) == 1)
    #expect(state.heard.errors.contains("no packet matches"))
  }

  @Test func whatIsNoSessionIsRefused() throws {
    try state.put(Array("nothing of that kind".utf8), as: "x")
    #expect(
      refusal { try show(request(state.path("x"))) }.contains(
        "is neither a session of nftrace nor a capture file"))
    #expect(throws: KernelError.self) { try show(request(state.path("none"))) }
  }

  /// A file that was cut off is told as far as it goes.
  @Test func theDamageIsSaid() throws {
    let octets = try Fixtures.octets(Self.ping)
    try state.put(octets.dropLast(100), as: "cut.pcapng")
    #expect(try show(request(state.path("cut.pcapng"))) == 0)
    #expect(state.heard.errors.contains("is cut off at byte "))
    #expect(state.heard.errors.contains("everything before that is shown"))
    #expect(state.heard.output.contains("echo request"))
  }

  @Test func aPageIsWritten() throws {
    var request = request(fixture(Self.ping + ".pcapng"))
    request.html = state.path("page.html")
    #expect(try show(request) == 0)
    #expect(state.heard.output == "")
    #expect(try state.text("page.html").hasPrefix("<!DOCTYPE html>"))
  }

  @Test func theMessagesAloneAreExported() throws {
    var wanted = request(fixture(Self.ping + ".pcapng"))
    wanted.export = state.path("x.pcap")
    #expect(try show(wanted) == 0)
    let octets = [UInt8](try Data(contentsOf: URL(filePath: state.path("x.pcap"))))
    #expect(Array(octets.prefix(4)) == [0x4d, 0x3c, 0xb2, 0xa1])
    // It can be shown again.
    #expect(try show(request(state.path("x.pcap"))) == 0)
    #expect(state.heard.output.contains("PREROUTING"))
  }

  @Test func whatIsReadIsNotOverwritten() throws {
    let octets = try Fixtures.octets(Self.ping)
    try state.put(octets, as: "a.pcapng")
    for change in [\ShowRequest.html, \.export] {
      var request = request(state.path("a.pcapng"))
      request[keyPath: change] = state.path("a.pcapng")
      #expect(refusal { try show(request) }.contains("is what is read: write to another file"))
    }
    #expect([UInt8](try Data(contentsOf: URL(filePath: state.path("a.pcapng")))) == octets)
  }

  // MARK: What is kept

  private func record(_ name: String, as file: String) throws {
    try state.put(try Fixtures.octets(name), as: file)
  }

  private func setUp(_ backend: SetupBackend = .nflog, in space: ChosenNamespace? = nil) throws {
    try state.within {
      try SetupRun.run(
        SetupRequest(
          subnets: Subnets(parsing: ["10.77.2.0/24"]), backend: backend, record: false,
          limit: 1 << 28, options: OutputOptions(json: false, style: TextStyle())),
        in: [space ?? ChosenNamespace()], machine)
    }
  }

  private var recording: String { "recording-\(machine.current.place.key).pcapng" }

  @Test func nothingIsRecorded() throws {
    #expect(refusal { try show(request()) }.hasPrefix("nothing is recorded yet: "))
    let spaces = ["a", "b"].map { machine.add($0) }
    let error = #expect(throws: NamespaceFailure.self) { try show(request(), in: spaces) }
    #expect(error?.name == "a")
  }

  @Test func theLastPingIsShown() throws {
    try record(Self.ping, as: "last.pcapng")
    #expect(try show(request()) == 0)
    #expect(state.heard.errors.hasPrefix("nftrace: this is the last ping, of "))
    #expect(state.heard.errors.contains(": \(state.directory)/last.pcapng"))
    #expect(state.heard.output.contains("PREROUTING"))
    #expect(try show(request(verbosity: .quiet)) == 0)
    #expect(state.heard.errors == "")
  }

  /// Whether all lines are there that tell the packets of a fixture, below the sum and the flows: also in a pipe.
  private func tellsAll(of name: String) throws -> Bool {
    let told = Set(state.heard.output.split(separator: "\n"))
    return try told.contains { $0.contains("requests  answers") }
      && golden(name).split(separator: "\n").allSatisfy(told.contains)
  }

  @Test func theSetupsRecordingComesFirst() throws {
    try setUp()
    try record(Self.recorded, as: recording)
    try record(Self.ping, as: "last.pcapng")
    #expect(try show(request()) == 0)
    #expect(
      state.heard.errors.hasPrefix(
        "nftrace: this is the recording of the setup in this network namespace"))
    #expect(try tellsAll(of: Self.recorded))
    // By its name as well.
    #expect(try show(request(String(recording.dropLast(7)))) == 0)
    #expect(try tellsAll(of: Self.recorded))
    #expect(state.heard.errors == "")
    // Beyond its setup.
    try state.within {
      try TeardownRun(Subnets(), machine).run(in: [ChosenNamespace()], request().options)
    }
    #expect(try show(request()) == 0)
    #expect(state.heard.errors.contains("the recording of an earlier setup"))
  }

  /// The newer ping is shown where nothing was recorded.
  @Test func anEmptyRecordingIsOutshone() throws {
    try setUp()
    var header = try RecordedSession(Self.recorded).header
    header.recorded = nil
    try state.put(SessionFile.beginning(header), as: recording)
    try record(Self.ping, as: "last.pcapng")
    #expect(try show(request()) == 0)
    #expect(state.heard.errors.contains("this is the last ping"))
    #expect(state.heard.errors.contains("what is recorded here is empty"))
  }

  @Test func theKernelLogIsShownOtherwise() throws {
    try setUp(.log)
    #expect(refusal { try show(request()) }.contains("'nftrace show --backend log' shows it"))
  }

  @Test func severalAreOneSequence() throws {
    let spaces = ["a", "b"].map { machine.add($0) }
    for space in spaces {
      try setUp(in: space)
      try record(
        Self.recorded,
        as: "recording-\(machine[space.name!].place.key).pcapng")
    }
    #expect(try show(request(), in: spaces) == 0)
    #expect(state.heard.errors.contains("b: this is the recording of the setup"))
    #expect(try show(request(json: true), in: spaces) == 0)
    #expect(try JSONMembers(state.heard.output)["namespaces"] == #"["a","b"]"#)
  }

  // MARK: The kernel log

  private func showLog(_ request: ShowRequest) throws -> Int32 {
    try run(request) { try $0.showKernelLog(ChosenNamespace()) }
  }

  @Test func aSavedLogIsTold() throws {
    #expect(try showLog(request(fixture("kernel-log.dmesg"))) == 0)
    #expect(try tellsAll(of: "kernel-log.dmesg"))
  }

  @Test func whatIsNoLogIsSaid() throws {
    try state.put(Array("[ 1.0] usb: nothing\n".utf8), as: "x")
    #expect(try showLog(request(state.path("x"))) == 1)
    #expect(state.heard.errors.contains("has no line of a setup's rules"))
    let session = request(fixture(Self.ping + ".pcapng"))
    #expect(refusal { try showLog(session) }.contains("is a pcapng file and no text"))
    var itself = request(state.path("x"))
    itself.html = state.path("x")
    #expect(refusal { try showLog(itself) }.contains("write to another file"))
  }

  @Test func theLogIsThatOfTheSetup() throws {
    #expect(refusal { try showLog(request()) }.contains("nothing is set up in this network"))
    try setUp()
    #expect(refusal { try showLog(request()) }.contains("reports to NFLOG, not to the kernel log"))
  }

  /// A line in the words of nf_log_syslog, as /dev/kmsg has it, so many seconds after the boot.
  private func line(_ hook: String, _ seconds: UInt64) -> String {
    "4,\(seconds),\(seconds * 1_000_000),-;\(hook): IN=tun5 OUT= MAC= SRC=10.77.2.2 DST=10.77.1.2 "
      + "LEN=28 TOS=0x00 PREC=0x00 TTL=64 ID=1 DF PROTO=ICMP TYPE=8 CODE=0 ID=7 SEQ=1\n"
  }

  private var uptime: UInt64 { machine.monotonic / 1_000_000_000 }

  @Test func theRunningLogIsTold() throws {
    try setUp(.log)
    #expect(try showLog(request()) == 1)
    #expect(state.heard.errors.contains("or none any more: from a namespace other than"))
    machine.hasLogSetting = true
    #expect(try showLog(request()) == 1)
    #expect(!state.heard.errors.contains("nf_log_all_netns"))
    let damaged =
      "4,9,\(uptime * 1_000_000),-;PREROUTING: IN=tun5 OUT= MAC= SRC=10.77.2.2 DST=nowhere\n"
    machine.log.texts = [line("PREROUTING", uptime) + damaged]
    #expect(try showLog(request()) == 0)
    #expect(state.heard.output.contains("echo request"), "\(state.heard.output)")
    #expect(state.heard.errors.contains("/dev/kmsg: 1 of 2 lines of nftrace's rules are damaged"))
  }

  // MARK: What comes

  private func follow(_ request: ShowRequest, log: Bool = false) throws -> Int32 {
    try run(request) {
      log ? try $0.followKernelLog(ChosenNamespace()) : try $0.follow([ChosenNamespace()])
    }
  }

  private func interrupt(after seconds: UInt64) {
    machine.clock.signals = [(machine.clock.now + seconds * 1_000_000_000, 2)]
  }

  @Test func aLogIsFollowed() throws {
    try setUp(.log)
    interrupt(after: 5)
    machine.clock.onWait = { [machine, line] wait in
      if wait == 2 {
        machine.log.texts.append(line("PREROUTING", machine.monotonic / 1_000_000_000))
        machine.log.lost = 3
      }
    }
    #expect(try follow(request(), log: true) == 130)
    #expect(state.heard.output.contains("echo request"), "\(state.heard.output)")
    #expect(state.heard.output.contains("3 lost") || state.heard.errors.contains("3 lost"))
    #expect(machine.noted.kept.last == [])
  }

  @Test func aSetupIsFollowed() throws {
    #expect(refusal { try follow(request()) }.hasPrefix("nothing is set up in this network"))
    try setUp()
    // Nobody records it: its group is taken.
    #expect(throws: KernelError.self) { try follow(request()) }
    machine.reported = Silence()
    interrupt(after: 3)
    #expect(try follow(request()) == 130)
    #expect(machine.noted.kept.last == RuleListing.rights.union(.network))
    // It is over when it is torn down.
    machine.clock.signals = []
    machine.clock.onWait = { [machine, state] wait in
      guard wait % 30 == 0 else { return }
      try? StateDirectory.$chosen.withValue(state.directory) { try machine.files.forget() }
    }
    #expect(try follow(request()) == 0)
    #expect(state.heard.errors.contains("the setup was torn down"))
  }

  @Test func aRecordedSetupIsFollowedInItsFile() throws {
    try setUp()
    try record(Self.recorded, as: recording)
    let session = state.path(recording)
    let process = try #require(ProcessIdentity.current)
    try state.within {
      try machine.files.save(
        RecorderState(
          process: process.process, start: process.start, session: session, limit: 1, since: 0))
    }
    interrupt(after: 3)
    #expect(try follow(request()) == 130)
    // What was recorded before is not told.
    #expect(!state.heard.output.contains("UDP 192.168.69.1"))
    // A file that somebody names is told from its beginning.
    interrupt(after: 3)
    #expect(try follow(request(session)) == 130)
    #expect(state.heard.output.contains("UDP 192.168.69.1"))
  }

  @Test func theOtherBackendIsSaid() throws {
    try setUp(.log)
    #expect(refusal { try follow(request()) }.contains("--follow --backend log' follows it"))
  }
}

/// Traffic of which there is none.
private final class Silence: FollowedTraffic {
  var fileDescriptor: Int32? { -1 }
  func stopListening() {}
  func read(_ body: (SessionDecoder.Element) throws -> Void) throws -> Bool { true }
}
