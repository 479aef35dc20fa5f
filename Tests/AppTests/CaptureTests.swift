import Fixtures
import Kernel
import Report
import Simulator
import Testing
import Trace
import Wire

@testable import App

/// nftrace as a capture interface of Wireshark, and what it writes into a pipe.
struct CaptureTests {
  let machine = SimulatedMachine()
  let state: TemporaryState
  private let session: RecordedSession

  init() throws {
    state = try TemporaryState()
    session = try RecordedSession("healthy-nft-v4")
  }

  // MARK: What Wireshark asks

  @Test func theInterfaceIsNamed() {
    #expect(
      Extcap.interfaces == [
        "extcap {version=\(Version.number)}{help=man:nftrace-extcap(8)}",
        "interface {value=nftrace}{display=What netfilter does with packets}",
      ])
    #expect(
      Extcap.dlts == ["dlt {number=239}{name=NFLOG}{display=NFLOG, netlink and IP, as pcapng}"])
  }

  @Test func namespacesCanBeChosen() throws {
    let web = machine.add("web")
    machine.add("no{rmal}")
    machine.add("shut")
    machine["shut"].refusal = KernelError(cannot: "enter it", errno: 1)
    try setUp(in: web)
    let lines = state.within { Extcap.config(machine) }
    #expect(
      lines == [
        "arg {number=0}{call=--netns}{display=Network namespace}"
          + "{tooltip=The setup of this network namespace is captured}{type=selector}{reload=true}"
          + "{placeholder=Look again}",
        "arg {number=1}{call=--past}{display=What was recorded before as well}"
          + "{tooltip=Begin with what is in the file of the setup's recorder}{type=boolflag}"
          + "{default=false}",
        "value {arg=0}{value=1}{display=the machine's network namespace}{default=true}",
        "value {arg=0}{value=web}{display=network namespace web, where 10.77.2.0/24 is watched}"
          + "{default=false}",
        "value {arg=0}{value=shut}{display=network namespace shut}{default=false}",
      ])
    #expect(state.within { Extcap.namespaces(machine) } == Array(lines[2...]))
  }

  // MARK: What is captured

  private func setUp(in space: ChosenNamespace = ChosenNamespace()) throws {
    try state.within {
      try SetupRun.run(
        SetupRequest(
          subnets: Subnets(parsing: ["10.77.2.0/24"]), backend: .nflog, record: false,
          limit: 1 << 28, options: OutputOptions(json: false, style: TextStyle())),
        in: [space], machine)
    }
  }

  private func capture(past: Bool = false, to pipe: Pipe) throws -> Int32? {
    var run = CaptureRun(machine, past: past)
    return try state.within { try run.run(ChosenNamespace(), to: pipe) }
  }

  private func interrupt(after seconds: UInt64) {
    machine.clock.signals = [(machine.clock.now + seconds * 1_000_000_000, 15)]
  }

  /// What comes is written as it comes: the octets of a session, from now on.
  @Test func whatComesIsWritten() throws {
    #expect(throws: UsageError.self) { try capture(to: Pipe()) }
    try setUp()
    let records = session.records.map { record in
      Record(time: machine.clock.now + 1, record.content)
    }
    machine.reported = Elements([.header(session.header)] + records.map { .record($0) })
    interrupt(after: 3)
    let pipe = Pipe()
    #expect(try capture(to: pipe) == 15)
    var header = session.header
    header.command = "record"
    header.namespace = header.namespace ?? machine.current.place.key
    #expect(
      pipe.octets == SessionFile.beginning(header) + records.flatMap { SessionFile.bytes($0) })
    #expect(machine.noted.kept.last == RuleListing.rights.union(.network))
  }

  /// Of the time before, what is known of the surroundings is written, that of the last section.
  @Test(arguments: [false, true]) func thePastIsLeftOut(past: Bool) throws {
    try setUp()
    let before = machine.clock.now - 9
    let interface = Record(time: before, .netlink(NetlinkMessage(type: 16, payload: [1])))
    let packet = Record(time: before, .log([1, 2, 3, 4]))
    let header = SessionDecoder.Element.header(session.header)
    machine.reported = Elements(
      [header, .record(interface), .record(packet), header, .record(packet), .record(interface)])
    interrupt(after: 1)
    let pipe = Pipe()
    #expect(try capture(past: past, to: pipe) == 15)
    var decoder = SessionDecoder()
    decoder.feed(pipe.octets)
    var contents: [Record.Content?] = []
    while let element = try decoder.next() {
      if case .record(let record) = element {
        contents.append(record.content)
      } else {
        contents.append(nil)
      }
    }
    #expect(
      contents
        == (past
          ? [nil, interface.content, packet.content, nil, packet.content, interface.content]
          : [nil, interface.content]))
  }

  /// Whoever reads no more ends it, and so does a setup that is torn down.
  @Test func itsEnds() throws {
    try setUp()
    machine.reported = Elements([])
    let pipe = Pipe()
    machine.clock.onWait = { if $0 == 20 { pipe.hasReader = false } }
    #expect(try capture(to: pipe) == nil)
    machine.reported = Elements([.header(session.header)])
    #expect(try capture(to: Pipe(isBroken: true)) == nil)
    machine.clock.onWait = { [machine, state] wait in
      try? StateDirectory.$chosen.withValue(state.directory) { try machine.files.forget() }
    }
    #expect(try capture(to: Pipe()) == nil)
    #expect(state.heard.errors == "nftrace: the setup was torn down\n")
  }

  /// Who does not read for a while is waited for, but not for ever once a signal came.
  @Test func slowReaders() throws {
    try setUp()
    let elements = Elements([])
    machine.reported = elements
    let pipe = Pipe()
    pipe.isFull = true
    pipe.isPending = true
    interrupt(after: 5)
    let begin = machine.clock.now
    #expect(try capture(to: pipe) == 15)
    #expect(elements.reads == 0)
    #expect((7_000_000_000..<8_000_000_000).contains(machine.clock.now - begin))
  }
}

/// A pipe that somebody reads.
private final class Pipe: OctetSink {
  var octets: [UInt8] = []
  var hasReader = true
  var isFull = false
  var isPending = false
  let isBroken: Bool

  init(isBroken: Bool = false) { self.isBroken = isBroken }

  func write(_ octets: [UInt8]) throws(KernelError) {
    if isBroken { throw KernelError(cannot: "write x", function: "write", errno: 32) }
    self.octets += octets
  }

  func flush() throws(KernelError) {}
}

/// Traffic that is there at once.
private final class Elements: FollowedTraffic {
  private var rest: [SessionDecoder.Element]
  private(set) var reads = 0

  init(_ elements: [SessionDecoder.Element]) { rest = elements }

  var fileDescriptor: Int32? { -1 }
  func stopListening() {}

  func read(_ body: (SessionDecoder.Element) throws -> Void) throws -> Bool {
    reads += 1
    for element in rest { try body(element) }
    rest = []
    return true
  }
}
