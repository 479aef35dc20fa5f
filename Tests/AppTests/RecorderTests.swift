import Kernel
import Report
import Simulator
import Testing
import Trace
import Wire

@testable import App

/// A recorder, with a kernel and a disk that do what the test has them do.
struct RecorderTests {
  /// A recorder and all around it.
  final class Recording {
    let loop: SimulatedLoop
    let faults = Faults()
    let kernel: SimulatedRecorder
    let medium: SimulatedMedium
    let store: SimulatedStore
    let heard = HeardOutput()
    let events: [Record]
    var limit = 1 << 20
    var isOurs = true
    var state: RecorderState?
    var isReady = false

    init() throws {
      let session = try RecordedSession("recorded-udp-closed-port-v4")
      let first = session.records.first { $0.origin == .event }!.time
      loop = SimulatedLoop(first)
      var listing = OpeningListing(links: [], addresses: [], chains: [])
      for record in session.records {
        guard case .netlink(let message) = record.content, !message.isDumpRequest else { continue }
        switch message.type {
        case RouteMessageType.newLink: listing.links.append(message)
        case RouteMessageType.newAddress: listing.addresses.append(message)
        case ChainMessage.newType: listing.chains.append(message)
        default: break
        }
      }
      kernel = SimulatedRecorder(listing, loop: loop, faults: faults)
      medium = SimulatedMedium(faults)
      var setup = SetupState(
        subnets: session.header.targets, backend: "nflog", group: 5, since: 0, process: 1,
        command: ["nftrace"], boot: "boot")
      let around = SetupSurroundings(
        chains: listing.chains, devices: listing.deviceNames, legacyTables: [], hasTables: true)
      setup.points = around.points(for: setup)
      store = SimulatedStore(setup, faults)
      events = session.records.filter { if case .log = $0.content { true } else { false } }
    }

    /// Records until a signal comes, so many nanoseconds after its beginning.
    func run(_ duration: UInt64) throws(KernelError) -> Int32? {
      loop.signals.append((loop.now + duration, 15))
      var recorder = Recorder(
        store, store.setup!, kernel: kernel, loop: loop, to: medium, path: "/s/r.pcapng",
        limit: limit, isOurs: isOurs, identity: ProcessIdentity(process: 7, start: 8), netns: "n")
      defer { state = recorder.state }
      return try Output.$place.withValue(heard) {
        Result { () throws(KernelError) in try recorder.run { self.isReady = true } }
      }.get()
    }

    /// So many events, each this many nanoseconds behind the one before.
    func come(_ count: Int, every pause: UInt64) {
      kernel.coming.add(
        (0..<count).map {
          Record(time: loop.now + UInt64($0 + 1) * pause, events[$0 % events.count].content)
        })
    }
  }

  /// Who wants to show it asks: what has come is in the file at once, and the recorder says so and goes on.
  @Test func askedItWritesAtOnce() throws {
    let recording = try Recording()
    recording.come(3, every: 1_000_000)
    let asked = recording.loop.now + 4_000_000
    recording.loop.signals = [(asked, Loop.flushRequest)]
    var found: (flushed: UInt64?, octets: Int)?
    recording.loop.onWait = { [unowned recording] _ in
      let flushed = recording.store.recorder?.flushed
      if found == nil, let flushed, flushed >= asked {
        found = (flushed, recording.medium.octets.count)
      }
    }
    #expect(try recording.run(1_000_000_000) == 15)
    #expect(try #require(found).flushed! < asked + 20_000_000)
    #expect(recording.state?.events == 3)
    #expect(recording.medium.octets.count > found!.octets)
  }

  @Test func whatComesIsWritten() throws {
    let recording = try Recording()
    recording.come(50, every: 10_000_000)
    #expect(try recording.run(2_000_000_000) == 15)
    #expect(recording.isReady)
    #expect(recording.state?.events == 50)
    #expect(recording.state?.ended != nil)
    #expect(recording.store.recorder?.events == 50)
    #expect(!recording.store.isReserved)
    let records = try recording.medium.records()
    #expect(records.count { if case .log = $0.content { true } else { false } } == 50)
    guard case .note(.ended(let end)) = records.last?.content else {
      Issue.record("it does not say how it ended")
      return
    }
    #expect(end.events == 50)
    #expect(end.reason == nil)
  }

  /// A reader sees what is new within the same moment, and how far it has come is noted.
  @Test func nothingWaitsForLong() throws {
    let recording = try Recording()
    recording.come(1, every: 100_000_000)
    var written: UInt64?
    let begin = recording.loop.now
    var opening = 0
    recording.loop.onWait = { _ in
      if opening == 0 { opening = recording.medium.octets.count }
      if written == nil, recording.medium.octets.count > opening {
        written = recording.loop.now - begin
      }
    }
    _ = try recording.run(3_000_000_000)
    #expect(opening > 0)
    #expect((130_000_000...150_000_000).contains(try #require(written)))
  }

  @Test func theOldestIsDropped() throws {
    let recording = try Recording()
    recording.limit = 200_000
    recording.come(3000, every: 1_000_000)
    _ = try recording.run(5_000_000_000)
    #expect(recording.medium.rotations > 1)
    #expect(recording.medium.octets.count + recording.medium.previousSize <= 200_000)
    let state = try #require(recording.state)
    #expect(state.events == 3000)
    #expect(state.dropped.records > 0)
    guard case .header(let header) = try recording.medium.elements().first else { return }
    #expect(header?.dropped != nil)
    #expect(header?.recorded != nil)
  }

  /// What could be written is left whole, and what could not is counted.
  @Test func aDiskThatIsFullEndsIt() throws {
    let recording = try Recording()
    recording.medium.capacity = 60_000
    recording.come(2000, every: 1_000_000)
    let error = #expect(throws: KernelError.self) { try recording.run(9_000_000_000) }
    #expect(error?.errno == 28)
    let state = try #require(recording.state)
    #expect(state.error == "the disk is full")
    #expect(state.unwritten ?? 0 > 0)
    let written = try recording.medium.records().count {
      if case .log = $0.content { true } else { false }
    }
    #expect(written == state.events)
    #expect(recording.store.recorder?.error == "the disk is full")
  }

  @Test func aFileThatCouldNotBeBegunIsRemoved() throws {
    let recording = try Recording()
    recording.medium.capacity = 10
    #expect(throws: KernelError.self) { try recording.run(1_000_000_000) }
    #expect(recording.medium.isRemoved)
    #expect(!recording.isReady)
  }

  @Test func messagesThatWereLostAreCounted() throws {
    let recording = try Recording()
    recording.kernel.coming.room = 20
    recording.come(100, every: 1)
    _ = try recording.run(2_000_000_000)
    #expect(recording.state?.lost ?? 0 >= 80)
  }

  /// It ends by itself when nobody holds the namespace, at two looks.
  @Test func anAbandonedNamespaceEndsIt() throws {
    let recording = try Recording()
    let begin = recording.loop.now
    recording.loop.onWait = { _ in
      if recording.loop.now > begin + 1_000_000_000 { recording.kernel.isHeld = false }
    }
    #expect(try recording.run(60_000_000_000) == nil)
    #expect(recording.loop.now - begin < 4_000_000_000)
    #expect(recording.state?.error == Recorder.deleted)
  }

  @Test func aNamespaceThatChangesHandsDoesNot() throws {
    let recording = try Recording()
    var looks = 0
    recording.loop.onWait = { _ in
      looks += 1
      recording.kernel.isHeld = looks % 2 == 0 || looks > 4
    }
    #expect(try recording.run(3_000_000_000) == 15)
  }

  // MARK: The rules in order

  /// NFT_MSG_DELTABLE of nftrace's own table, NFT_MSG_NEWCHAIN of somebody's, and the end of a transaction.
  private static func change(_ type: UInt16, _ table: String) -> Record.Content {
    .netlink(
      NetlinkMessage(
        type: type, payload: [1, 0, 0, 0] + [NetlinkAttribute(1, string: table)].bytes))
  }

  @Test func tablesThatSomebodyRemovedAreInstalledAgain() throws {
    let recording = try Recording()
    let whole = recording.kernel.listed.chains
    recording.kernel.coming.add([
      Record(time: recording.loop.now + 100_000_000, Self.change(0x0a02, SetupTables.name)),
      Record(time: recording.loop.now + 100_000_001, Self.change(0x0a0f, "")),
    ])
    recording.kernel.listed.chains = []
    recording.kernel.chainsAfterInstall = whole
    _ = try recording.run(5_000_000_000)
    #expect(recording.kernel.installed.count >= 1)
    #expect(recording.state?.repairs ?? 0 >= 1)
    // A section of the file for what is there now.
    let headers = try recording.medium.elements().count {
      if case .header = $0 { true } else { false }
    }
    #expect(headers >= 2)
  }

  @Test func whoHasTheLockIsWaitedFor() throws {
    let recording = try Recording()
    recording.store.isLocked = true
    recording.kernel.coming.add([
      Record(time: recording.loop.now + 100_000_000, Self.change(0x0a02, SetupTables.name)),
      Record(time: recording.loop.now + 100_000_001, Self.change(0x0a0f, "")),
    ])
    recording.kernel.listed.chains = []
    let begin = recording.loop.now
    recording.loop.onWait = { _ in
      if recording.loop.now > begin + 2_000_000_000 { recording.store.isLocked = false }
    }
    _ = try recording.run(5_000_000_000)
    #expect(recording.kernel.installed.count >= 1)
  }

  /// What cannot be put in order now is said, and tried again.
  @Test func itIsTriedAgain() throws {
    let recording = try Recording()
    recording.faults.failing[.install] = (0, 12)
    recording.kernel.coming.add([
      Record(time: recording.loop.now + 100_000_000, Self.change(0x0a02, SetupTables.name)),
      Record(time: recording.loop.now + 100_000_001, Self.change(0x0a0f, "")),
    ])
    recording.kernel.listed.chains = []
    let begin = recording.loop.now
    recording.loop.onWait = { _ in
      if recording.loop.now > begin + 3_000_000_000 { recording.faults.failing = [:] }
    }
    _ = try recording.run(8_000_000_000)
    #expect(recording.kernel.installed.count >= 1)
    #expect(recording.heard.errors.contains("cannot install"))
  }

  @Test func notBeingAbleToNoteIsSaidOnce() throws {
    let recording = try Recording()
    recording.faults.failing[.recorderSave] = (1, 28)
    recording.come(100, every: 50_000_000)
    #expect(try recording.run(6_000_000_000) == 15)
    #expect(recording.heard.errors.split(separator: "\n").count == 1)
    #expect(recording.state?.events == 100)
  }

  /// A new interface has the rules laid out anew.
  @Test func interfacesAreFollowed() throws {
    let recording = try Recording()
    let link = try #require(recording.kernel.listed.links.last)
    recording.kernel.listed.links.removeLast()
    let begin = recording.loop.now
    var isTold = false
    recording.loop.onWait = { _ in
      guard !isTold, recording.loop.now > begin + 500_000_000 else { return }
      isTold = true
      recording.kernel.listed.links.append(link)
      recording.kernel.changing.next.made = [Record(time: recording.loop.now, .netlink(link))]
    }
    _ = try recording.run(5_000_000_000)
    let written = try recording.medium.records().count { $0.content == .netlink(link) }
    #expect(written >= 1)
  }

  @Test func interfacesThatWereNotToldAreListed() throws {
    let recording = try Recording()
    var isTold = false
    recording.loop.onWait = { _ in
      if !isTold { recording.kernel.changing.next.areAll = false }
      isTold = true
    }
    _ = try recording.run(5_000_000_000)
    let link = try #require(recording.kernel.listed.links.first)
    #expect(try recording.medium.records().count { $0.content == .netlink(link) } >= 2)
  }

  /// Whatever call fails, it ends and says so, or goes on.
  @Test func anyCallMayFail() throws {
    var failed: Set<Faults.Call> = []
    for index in 0..<600 {
      let recording = try Recording()
      recording.come(20, every: 10_000_000)
      recording.faults.index = index
      let result = Result { () throws(KernelError) in try recording.run(1_000_000_000) }
      guard let call = recording.faults.failed.first else { break }
      failed.insert(call)
      switch result {
      case .success:
        // The last words of a recording may be missing; or the kernel goes on tracing, which is said.
        let isSaid = recording.heard.errors.contains("goes on tracing")
        #expect(isSaid || [.recorderSave, .mediumWrite].contains(call), "\(call)")
      case .failure(let error):
        #expect(error.errno == 12)
        #expect(recording.state?.error?.contains("\(call)") == true, "\(call)")
      }
    }
    #expect(failed.isSuperset(of: [.listing, .drain, .mediumWrite, .recorderSave, .giveUpRights]))
  }
}
