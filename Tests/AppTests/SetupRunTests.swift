import Foundation
import Kernel
import Report
import Simulator
import Testing
import Trace
import Wire

@testable import App

/// Setups in a kernel that is played. Files are real ones, in a directory of the test's own.
struct SetupRunTests {
  /// A kernel, and a directory.
  final class Place {
    let loop = SimulatedLoop(1_800_000_000_000_000_000)
    var faults = Faults()
    let kernel: SimulatedSetup
    let heard = HeardOutput()
    let directory: String

    init() throws {
      directory = FileManager.default.temporaryDirectory.path + "/nftrace-\(UUID().uuidString)"
      try FileManager.default.createDirectory(
        atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700]
      )
      kernel = SimulatedSetup(loop, faults)
      loop.wake { [loop] in loop.now + 1_000_000 }
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    /// Sets up, or undoes what was done and throws.
    func setUp(_ request: SetupRequest) throws -> SetupRun {
      try StateDirectory.$chosen.withValue(directory) {
        try Output.$place.withValue(heard) {
          let run = try SetupRun(request, SetupFiles.current(), kernel)
          do {
            try run.install()
            try run.startRecorder(loop)
            try run.keep()
            try Output.tell(run.statements())
          } catch {
            let failures = run.undo()
            guard failures.isEmpty else { throw HalfDone(cause: error, failures: failures) }
            throw error
          }
          return run
        }
      }
    }

    /// What is written down.
    var state: SetupState? {
      get throws {
        try StateDirectory.$chosen.withValue(directory) { try SetupFiles.current().load() }
      }
    }

    /// The names of the files, and what is in them.
    var files: [String: String] {
      var files: [String: String] = [:]
      for name in (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? [] {
        files[name] = try? String(contentsOfFile: "\(directory)/\(name)", encoding: .utf8)
      }
      return files
    }
  }

  private func request(
    _ subnets: [String], group: UInt16? = nil, tun: String? = nil, addresses: [String] = [],
    masquerade: Bool = false, forward: Bool = false, record: Bool = false,
    backend: SetupBackend? = nil
  ) throws -> SetupRequest {
    SetupRequest(
      subnets: try Subnets(parsing: subnets), backend: backend, group: group, tun: tun,
      tunAddresses: addresses.compactMap { Prefix($0) }, masquerade: masquerade, forward: forward,
      record: record, limit: 1 << 28,
      options: OutputOptions(json: false, style: TextStyle(unicode: true, verbosity: .verbose)))
  }

  @Test func everythingIsMade() throws {
    let place = try Place()
    _ = try place.setUp(
      request(["192.168.69.0/24"], tun: "tun5", masquerade: true, forward: true, record: true))
    #expect(place.kernel.world.devices["tun5"] == [Prefix("192.168.69.100/24")!])
    #expect(place.kernel.world.raised.contains("tun5"))
    #expect(place.kernel.world.settings == ["net.ipv4.ip_forward": "1"])
    #expect(place.kernel.world.watched == [Prefix("192.168.69.0/24")!])
    #expect(place.kernel.world.isRecording)
    let state = try #require(try place.state)
    #expect(state.tun == .init(name: "tun5", isOurs: true, addresses: ["192.168.69.100/24"]))
    #expect(state.masquerade == ["192.168.69.0/24"])
    #expect(state.group == 0xf001)
    #expect(state.journals.count == 1)
    let said = place.heard.output
    #expect(said.contains("watching 192.168.69.0/24"))
    #expect(said.contains("made the TUN device tun5"))
    #expect(said.contains("net.ipv4.ip_forward = 1"))
  }

  @Test func theSameAgainChangesNothing() throws {
    let place = try Place()
    _ = try place.setUp(request(["192.168.69.0/24", "fd00:69::/64"]))
    let state = try place.state
    _ = try place.setUp(request(["192.168.69.0/24"]))
    #expect(try place.state?.subnets == state?.subnets)
    _ = try place.setUp(request(["10.20.0.0/16"]))
    #expect(try place.state?.subnets.count == 3)
  }

  @Test(arguments: [SetupBackend.log, .nflog]) func whatContradictsIsRefused(backend: SetupBackend)
    throws
  {
    let place = try Place()
    _ = try place.setUp(request(["192.168.69.0/24"], tun: "tun5", backend: backend))
    let world = place.kernel.world
    let other: SetupBackend = backend == .log ? .nflog : .log
    #expect(throws: UsageError.self) {
      try place.setUp(request(["192.168.69.0/24"], backend: other))
    }
    #expect(throws: UsageError.self) { try place.setUp(request(["192.168.69.0/24"], group: 99)) }
    #expect(throws: UsageError.self) { try place.setUp(request(["192.168.69.0/24"], tun: "tun6")) }
    #expect(throws: UsageError.self) {
      try place.setUp(request(["192.168.69.0/24"], tun: "tun5", addresses: ["10.1.1.1/24"]))
    }
    #expect(place.kernel.world == world)
  }

  @Test func subnetsThatCollideAreRefused() throws {
    let place = try Place()
    let before = place.kernel.world
    #expect(throws: UsageError.self) {
      try place.setUp(request(["10.9.0.0/24"], tun: "tun5", addresses: ["10.9.0.7/24"]))
    }
    #expect(throws: UsageError.self) { try place.setUp(request(["10.9.0.0/24"], masquerade: true)) }
    #expect(place.kernel.world == before)
    #expect(try place.state == nil)
  }

  /// Whatever call fails, everything is as it was before: the first setup, and one that adds to another.
  @Test(arguments: [false, true]) func whatFailsIsUndone(isThereOne: Bool) throws {
    var failed: Set<Faults.Call> = []
    for index in 0..<100 {
      let place = try Place()
      if isThereOne { _ = try place.setUp(request(["10.20.0.0/16"])) }
      let before = place.kernel.world
      let files = place.files.filter { $0.key != "lock" }
      place.faults.counted = [
        .takeGroup, .install, .link, .addresses, .routes, .addAddress, .raise, .sysctl, .createTun,
        .keep, .startRecorder,
      ]
      // Once: undoing works.
      place.faults.index = place.faults.count + index
      let result = Result {
        try place.setUp(
          request(
            ["192.168.69.0/24"], group: isThereOne ? nil : 9, tun: "tun5", masquerade: true,
            forward: true, record: true))
      }
      guard let call = place.faults.failed.first else {
        #expect((try? result.get()) != nil)
        break
      }
      failed.insert(call)
      #expect(throws: KernelError.self) { try result.get() }
      #expect(place.kernel.world == before, "\(call)")
      #expect(place.files.filter { $0.key != "lock" } == files, "\(call)")
    }
    #expect(failed.isSuperset(of: [.install, .addAddress, .raise, .sysctl, .createTun, .keep]))
  }

  @Test func aRecorderThatCannotBeginUndoesIt() throws {
    let place = try Place()
    let before = place.kernel.world
    place.kernel.complaint = "no room"
    let error = #expect(throws: KernelError.self) {
      try place.setUp(request(["192.168.69.0/24"], record: true))
    }
    #expect(error?.help == "no room")
    #expect(place.kernel.world == before)
    #expect(try place.state == nil)
  }

  @Test func aSignalUndoesIt() throws {
    let place = try Place()
    let before = place.kernel.world
    place.loop.signals = [(place.loop.now, 2)]
    let error = #expect(throws: Interruption.self) {
      try place.setUp(request(["192.168.69.0/24"], tun: "tun5", record: true))
    }
    #expect(error?.signal == 2)
    #expect(place.kernel.world == before)
    #expect(place.files.isEmpty || place.files.keys.allSatisfy { $0 == "lock" })
  }

  /// What cannot be undone is told beside why it failed.
  @Test func whatCannotBeUndoneIsTold() throws {
    let place = try Place()
    place.faults.failing = [.keep: (0, 5), .removeTables: (0, 12)]
    let error = #expect(throws: HalfDone.self) {
      try place.setUp(request(["192.168.69.0/24"], forward: true))
    }
    #expect((error?.cause as? KernelError)?.errno == 5)
    #expect(error?.failures.count == 1)
  }

  /// The recording of the setup before is kept under a name of its own, unless the setup fails.
  @Test(arguments: [false, true]) func anEarlierRecordingIsKept(fails: Bool) throws {
    let place = try Place()
    let recording = try StateDirectory.$chosen.withValue(place.directory) {
      try SetupFiles.current().recording
    }
    let session = try RecordedSession("recorded-udp-closed-port-v4")
    let bytes =
      SessionFile.beginning(session.header) + session.records.flatMap { SessionFile.bytes($0) }
    try Data(bytes).write(to: URL(filePath: recording))
    if fails { place.faults.failing = [.keep: (0, 5)] }
    let result = Result { try place.setUp(request(["10.77.2.0/24"], record: true)) }
    let names = try FileManager.default.contentsOfDirectory(atPath: place.directory).filter {
      $0.hasPrefix("recording-")
    }
    try #require(names.count == 1)
    #expect(("\(place.directory)/\(names[0])" == recording) == fails)
    if !fails {
      _ = try result.get()
      #expect(place.heard.output.contains("the earlier recording is kept"))
    }
  }

  @Test func jsonHasWhatWasDone() throws {
    let place = try Place()
    let run = try place.setUp(request(["192.168.69.0/24"], tun: "tun5"))
    let text = try StateDirectory.$chosen.withValue(place.directory) {
      try run.statements().object.pretty()
    }
    #expect(text.contains(#""changed": true"#))
    #expect(text.contains(#""tun5""#))
  }
}
