import Kernel
import Report
import Simulator
import Testing
import Trace
import Wire

@testable import App

/// Pings of a kernel that does what it did when a session of fixtures/ was recorded.
struct PingRunTests {
  /// A ping, and all around it.
  struct Ping {
    let session: RecordedSession
    let loop: SimulatedLoop
    let faults = Faults()
    let kernel: SimulatedPing
    let sink: SimulatedSink
    let heard = HeardOutput()
    var json = false
    var verbosity = TextStyle.Verbosity.normal
    var files: [ReportFile] = []

    init(_ name: String) throws {
      session = try RecordedSession(name)
      loop = SimulatedLoop(session.records[session.firstSent].time)
      kernel = SimulatedPing(session, loop: loop, faults: faults)
      sink = SimulatedSink(faults)
    }

    /// Sends the probes of the session, or of another plan; returns the exit code.
    func run(_ plan: ProbePlan? = nil, forward: Bool = false) throws -> Int32 {
      let plan = plan ?? session.header.probe!
      let source = plan.source
      let entrance = ProbeEntrance(
        source: source, subnet: Prefix(source), deviceName: plan.device, isTun: true, path: kernel)
      var printer = PingPrinter(
        options: OutputOptions(json: json, style: TextStyle(unicode: true, verbosity: verbosity)),
        files: files)
      return try Output.$place.withValue(heard) {
        var run = try PingRun(
          plan, entrance: entrance, masquerade: false, forward: forward,
          in: [PingNamespace(name: session.header.netns, settings: kernel, kernel: kernel)],
          loop: loop, sink: sink)
        defer { try? printer.finish(session: nil) }
        return try run.send(&printer, isLast: true)
      }
    }
  }

  /// A page and a picture are written beside what is told, and are there when they are whole.
  @Test func reportsInFiles() throws {
    let state = try TemporaryState()
    let (page, picture) = (state.path("page.html"), state.path("picture.svg"))
    let style = TextStyle()
    var ping = try Ping("policy-nft-forward-v6")
    ping.files = [try ReportFile(page, .html, style), try ReportFile(picture, .svg, style)]
    _ = try ping.run()
    #expect(ping.heard.output.contains("did not answer"))
    #expect(try state.text("page.html").hasSuffix("</html>\n"))
    #expect(try state.text("page.html").contains("<svg class=\"pic\""))
    #expect(try state.text("picture.svg").hasSuffix("</svg>\n"))
    do { _ = try ReportFile(state.path("half.html"), .html, style) }
    #expect(throws: (any Error).self) { try state.text("half.html") }
  }

  /// What is written down while the kernel lives is told as the recorded session is: text for text.
  @Test(arguments: RecordedSession.pings) func itIsToldAsItWasRecorded(name: String) throws {
    let ping = try Ping(name)
    _ = try ping.run()
    let (shown, told) = (ping.sink.shown, try RecordedSession.told(name))
    // A session without a list of chains does not say what stands at the hooks; this kernel lists them.
    guard ping.session.listsChains else {
      #expect(shown.split(separator: "\n").first == told.split(separator: "\n").first)
      return
    }
    let different = zip(shown.split(separator: "\n"), told.split(separator: "\n")).first {
      $0 != $1
    }
    #expect(shown == told, "\(different.map { "\($0.0)\n\($0.1)" } ?? "")")
    #expect(ping.kernel.sent.count >= ping.session.header.probe!.count)
  }

  /// A ping prints while it runs what 'show' prints afterwards of each probe.
  @Test(arguments: ["healthy-nft-v4", "no-route-v4", "policy-nft-forward-v6"])
  func itPrintsWhatIsShown(name: String) throws {
    let ping = try Ping(name)
    let code = try ping.run()
    let told = try RecordedSession.told(name)
    #expect(code == (told.contains("answered in") ? 0 : 1))
    let head = told.split(separator: "\n").first.map(String.init)!
    #expect(ping.heard.output.contains(head), "\(ping.heard.output)")
    #expect(ping.heard.output.contains("1 packet"))
  }

  @Test func jsonComesAtTheEnd() throws {
    var ping = try Ping("no-route-v4")
    ping.json = true
    #expect(try ping.run() == 1)
    #expect(ping.heard.output.contains(#""schema": "nftrace/1""#))
    #expect(ping.heard.output.contains(#""no-route""#))
  }

  /// It does not matter for what is found whether the machine is slow: this process is stopped for seconds while
  /// answers come, and reading takes long.
  @Test(arguments: ["no-route-v4", "policy-nft-forward-v6", "reject-iptables-forward-v4"])
  func aSlowMachineFindsTheSame(name: String) throws {
    let ping = try Ping(name)
    ping.kernel.disturbed.cost = 500_000
    ping.kernel.disturbed.areStampedWhenRead = true
    ping.loop.onWait = { if $0 == 1 { ping.loop.now += 3_000_000_000 } }
    _ = try ping.run()
    #expect(Self.cause(ping.sink.shown) == Self.cause(try RecordedSession.told(name)))
  }

  private static func cause(_ text: String) -> String? {
    text.split(separator: "\n").first { $0.contains("  cause ") }.map(String.init)
  }

  /// Messages that were lost are told of, and what is left is told.
  @Test(arguments: [2, 3, 7]) func lostMessagesAreTold(one: Int) throws {
    let ping = try Ping("policy-nft-forward-v6")
    ping.kernel.disturbed.lossy = one
    #expect(try ping.run() == 1)
    #expect(ping.heard.output.contains("lost"))
    let hasLost = ping.sink.records.contains { if case .lost = $0.content { true } else { false } }
    #expect(hasLost)
  }

  /// Messages of others come faster than they can be read: a probe is told a second after its end all the
  /// same.
  @Test func itComesToAnEndAmongNoise() throws {
    let ping = try Ping("policy-nft-forward-v6")
    let noise = try #require(
      ping.session.records.first {
        if case .netlink(let message) = $0.content {
          ConntrackMessage.isOne(message.type)
        } else {
          false
        }
      } ?? ping.session.records.first { if case .log = $0.content { true } else { false } })
    let begin = ping.loop.now
    ping.kernel.disturbed.noise = (noise, begin + 60_000_000_000)
    var plan = ping.session.header.probe!
    plan.timeout = 0.5
    #expect(try ping.run(plan) == 1)
    #expect(ping.loop.now - begin < 3_000_000_000)
  }

  @Test func aProbeThatCannotBeWrittenEndsIt() throws {
    let ping = try Ping("healthy-nft-v4")
    ping.kernel.refusesByPath = true
    ping.kernel.sendErrno = 5
    let error = #expect(throws: KernelError.self) { try ping.run() }
    #expect(error?.errno == 5)
  }

  @Test func aProbeThatThisHostDoesNotSendIsToldOf() throws {
    let ping = try Ping("local-healthy-fragmented-v4")
    ping.kernel.sendErrno = 90
    #expect(try ping.run() == 1)
    #expect(ping.sink.records.contains { $0.content == .note(.notSent(1, 90)) })
  }

  // MARK: Schedule, and signals

  private func plan(_ ping: Ping, count: Int, interval: Double, timeout: Double = 1) -> ProbePlan {
    var plan = ping.session.header.probe!
    plan.count = count
    plan.interval = interval
    plan.timeout = timeout
    return plan
  }

  @Test func probesAreSentInTheirInterval() throws {
    let ping = try Ping("healthy-nft-v4")
    #expect(try ping.run(plan(ping, count: 3, interval: 0.2)) == 0)
    let times = ping.kernel.sent.map(\.time)
    #expect(times.count == 3)
    for (earlier, later) in zip(times, times.dropFirst()) {
      #expect((199_000_000...260_000_000).contains(later - earlier), "\(later - earlier)")
    }
    // The second and third were not answered: each was waited for.
    #expect(ping.loop.now - times[2] >= 1_000_000_000)
    #expect(ping.heard.output.contains("3 packets transmitted, 1 received"))
  }

  /// With no interval, one that is not answered holds up the next for 10 ms.
  @Test func aFloodWaitsForAnswersALittle() throws {
    let ping = try Ping("healthy-nft-v4")
    _ = try ping.run(plan(ping, count: 4, interval: 0, timeout: 0.1))
    let times = ping.kernel.sent.map(\.time)
    #expect(times.count == 4)
    #expect(times[1] - times[0] < 10_000_000)
    #expect((10_000_000..<20_000_000).contains(times[2] - times[1]))
  }

  /// Who interrupts waits a fifth of a second at most for answers that are on their way.
  @Test func aSignalEndsIt() throws {
    let ping = try Ping("healthy-nft-v4")
    let begin = ping.loop.now
    ping.loop.signals = [(begin + 1_500_000_000, 2)]
    #expect(try ping.run(plan(ping, count: 10, interval: 1, timeout: 5)) == 130)
    #expect(ping.kernel.sent.count == 2)
    #expect(ping.loop.now - begin < 1_800_000_000)
    #expect(ping.heard.output.contains("2 packets transmitted, 1 received"))
  }

  @Test func aSecondSignalEndsItAtOnce() throws {
    let ping = try Ping("healthy-nft-v4")
    let begin = ping.loop.now
    ping.loop.signals = [(begin + 1_500_000_000, 2), (begin + 1_510_000_000, 15)]
    #expect(try ping.run(plan(ping, count: 10, interval: 1, timeout: 5)) == 130)
    #expect(ping.loop.now - begin < 1_600_000_000)
  }

  // MARK: What fails

  /// Whatever call fails, the ping ends with its error, or does without what it was to find out.
  @Test func anyCallMayFail() throws {
    var failed: Set<Faults.Call> = []
    for index in 0..<400 {
      let ping = try Ping("policy-nft-forward-v6")
      ping.faults.index = index
      let result = Result { try ping.run() }
      guard let call = ping.faults.failed.first else { break }
      failed.insert(call)
      switch result {
      case .success(let code):
        #expect(code == 1)
        // What can be done without.
        #expect([.dropReasons, .takeGroup].contains(call), "\(call)")
      case .failure(let error): #expect((error as? KernelError)?.errno == 12, "\(call): \(error)")
      }
    }
    #expect(
      failed.isSuperset(of: [
        .listing, .settings, .dropReasons, .install, .listen, .prepare, .drain, .sessionBegin,
        .sessionWrite, .readPacket, .giveUpRights,
      ]), "\(failed)")
  }

  /// A disk that is full in the middle ends it, and what was seen is told.
  @Test func whatWasSeenIsTold() throws {
    let ping = try Ping("healthy-nft-v4")
    let whole = try Ping("healthy-nft-v4")
    _ = try whole.run()
    ping.faults.failing[.sessionWrite] = (whole.sink.records.count, 28)
    let error = #expect(throws: KernelError.self) {
      try ping.run(plan(ping, count: 5, interval: 0.1))
    }
    #expect(error?.errno == 28)
    #expect(ping.heard.output.contains("answered in"))
  }

  @Test func legacyTablesNeedTheirGroup() throws {
    let ping = try Ping("legacy-policy-forward-v6")
    ping.faults.failing[.takeGroup] = (0, 16)
    _ = try ping.run()
    let facts = ping.sink.records.flatMap { record -> [Fact] in
      if case .note(.facts(let facts)) = record.content { facts.all } else { [] }
    }
    #expect(
      facts.contains {
        if case .legacyTrace(let missing) = $0 {
          missing?.contains("cannot be named") == true
        } else {
          false
        }
      })
  }

  @Test func forwardingIsSwitchedOn() throws {
    let ping = try Ping("healthy-nft-v4")
    _ = try ping.run(forward: true)
    #expect(ping.kernel.settings.map { "\($0.0)" } == ["net.ipv4.ip_forward"])
    #expect(ping.kernel.tables?.versions == [4])
  }

  /// A rule that decided was read while its table was loaded anew: it is read again.
  @Test func rulesAreReadAgainWhileTheyChange() throws {
    let ping = try Ping("policy-nft-forward-v6")
    // NFT_MSG_DELTABLE of the table, as somebody loads it.
    let message = NetlinkMessage(
      type: 0x0a02,
      payload: [1, 0, 0, 0] + [NetlinkAttribute(1, string: "filter")].bytes)
    var times = 0
    ping.kernel.asked.onAsking = {
      times += 1
      if times <= 2 {
        ping.kernel.disturbed.add([Record(time: ping.loop.now, .netlink(message))])
      }
    }
    #expect(try ping.run() == 1)
    #expect(ping.kernel.asked.awaited >= 2)
  }
}

/// A device without a carrier.
private final class Silent: SilentDevice {
  let known: SilentDeviceState
  var isRaised = false
  var name: String { "tun7" }
  var index: UInt32 { 7 }
  init(_ known: SilentDeviceState) { self.known = known }
  func state() throws(KernelError) -> SilentDeviceState { known }
  func raiseCarrier() throws(KernelError) { isRaised = true }
}

extension PingRunTests {
  /// What a silent device is like, and whether it needs a carrier.
  struct Silence {
    var session = "healthy-nft-v4"
    var ignoresRoutes = false
    var hasDiscipline = false
    let needsCarrier: Bool
  }

  /// A TUN device keeps its carrier off where all that leaves by it is seen; elsewhere it needs one.
  @Test(arguments: [
    Silence(needsCarrier: false), Silence(session: "healthy-5.10-v4", needsCarrier: true),
    Silence(ignoresRoutes: true, needsCarrier: true),
    Silence(hasDiscipline: true, needsCarrier: true),
  ]) func aDeviceIsGivenACarrierWhereItNeedsOne(_ silence: Silence) throws {
    let ping = try Ping(silence.session)
    let silent = Silent(
      SilentDeviceState(
        ignoresRoutes: silence.ignoresRoutes, hasDiscipline: silence.hasDiscipline))
    let plan = ping.session.header.probe!
    let entrance = ProbeEntrance(
      source: plan.source, subnet: Prefix(plan.source), deviceName: "tun7", isTun: true,
      path: ping.kernel, silent: silent)
    _ = try PingRun(
      plan, entrance: entrance, masquerade: true, forward: false,
      in: [PingNamespace(name: nil, settings: ping.kernel, kernel: ping.kernel)], loop: ping.loop,
      sink: ping.sink)
    #expect(silent.isRaised == silence.needsCarrier)
    #expect(ping.kernel.tables?.masquerade.count == 1)
  }

  /// Probes for the link itself ask for what a first carrier brings.
  @Test func probesForTheLinkNeedACarrier() throws {
    let state = SilentDeviceState(ignoresRoutes: false, hasDiscipline: false)
    for (destination, needsCarrier) in [("224.0.0.1", true), ("10.1.2.3", false)] {
      var plan = try Ping("healthy-nft-v4").session.header.probe!
      plan.destination = try #require(IPAddress(destination))
      #expect(
        state.needsCarrier("tun7", for: plan, points: [.egress], chains: []) == needsCarrier)
    }
  }
}
