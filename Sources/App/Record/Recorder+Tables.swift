internal import Kernel
internal import Report
internal import Trace
internal import Wire

// The rules that report: kept in order, and traced for as long as somebody reads.

extension Recorder {
  /// Sees to changes of the ruleset and of the interfaces, and notes how far it has come.
  mutating func lookAround(_ now: UInt64) throws(KernelError) {
    if let due = changes.due, now >= max(due, notBefore) {
      do {
        try reconcile(now)
      } catch {
        if let failure = file.failure { throw failure }
        Output.complain("\(error)")
        notBefore = now + Self.pause
      }
    }
    if let due = nextSave, now >= due {
      nextSave = nil
      note()
      save()
    }
  }

  /// Compares what is there with what is to be there, and installs the latter where they differ.
  private mutating func reconcile(_ now: UInt64) throws(KernelError) {
    // A command that changes the setup has the lock; teardown waits for us and has it as well.
    var isDone = false
    _ = try store.ifUnlocked { () throws(KernelError) in
      guard let setup = try store.load() else { return }
      try reconcile(setup)
      isDone = true
    }
    if !isDone { notBefore = now + 50_000_000 }
  }

  private mutating func reconcile(_ current: SetupState) throws(KernelError) {
    var setup = current
    var listed = try kernel.listing()
    let around = try surroundings(listed)
    if changes.isDamaged || !around.areInOrder(for: setup) {
      if changes.isDamaged || around.installed.isEmpty {
        state.repairs += 1
      } else {
        state.replans += 1
      }
      metrics?.prepareInstallation()
      try SetupTables.install(&setup, around: around, by: kernel)
      try store.save(setup)
      listed.chains = try kernel.chains()
      try begin(setup, listed)
      save()
    } else if setup.points != header.points || setup.subnets != header.targets {
      try begin(setup, listed)
    } else if listed.chains.map(\.payload) != chains || listed.deviceNames != devices {
      for record in listed.records(at: loop.realtime) { try file.write(record) }
      chains = listed.chains.map(\.payload)
      devices = listed.deviceNames
      metrics?.begin(listed, setup.points)
    }
    legacyTables = listed.allLegacyTables
    changes.settle()
  }

  /// The setup, with the traces on that nobody has read until now, and counters that begin if they are wanted.
  func traced() throws(KernelError) -> SetupState {
    if setup.traces, metrics == nil { return setup }
    var traced = setup
    traced.traces = true
    traced.counts = metrics != nil
    let listed = try kernel.listing()
    try SetupTables.install(&traced, around: try surroundings(listed), by: kernel)
    try store.save(traced)
    // What was reported before is without its traces.
    _ = events.skip()
    return traced
  }

  /// Nobody reads any more: the setup that stays does not have the kernel trace for nobody. A command that has the
  /// lock takes the setup away, or starts another recorder.
  func stopTraces() {
    do {
      _ = try store.ifUnlocked { () throws(KernelError) in
        guard var setup = try store.load(), setup.traces else { return }
        setup.traces = false
        setup.counts = false
        try SetupTables.install(&setup, around: try surroundings(kernel.listing()), by: kernel)
        try store.save(setup)
      }
    } catch {
      Output.complain("the kernel goes on tracing what is set up: \(error)")
    }
  }

  private func surroundings(
    _ listed: OpeningListing
  ) throws(KernelError) -> SetupSurroundings {
    SetupSurroundings(
      chains: listed.chains, devices: listed.deviceNames, legacyTables: listed.allLegacyTables,
      hasTables: try kernel.hasTables(SetupTables.name))
  }
}
