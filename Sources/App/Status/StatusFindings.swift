internal import Kernel
internal import Trace

/// What there is of nftrace in a network namespace.
package struct StatusFindings {
  private let kernel: any StatusKernel
  /// What nftrace needs of the kernel; nil if nobody asked.
  var requirements: [Requirement]?
  /// Whether this host writes into packets as a router; nil if nobody asked, or the kernel cannot.
  var routerTracing: RouterTracing?
  /// nil if nothing is set up here, as far as can be seen.
  var setup: SetupState?
  var recorder: RecorderState?
  /// How the setup is found.
  var look: SetupFacts.Look?
  /// Tables of nftrace's that belong to nobody who lives.
  var orphans: [TableName] = []
  /// What could not be looked at.
  var hidden: [String] = []
  /// Setups of other network namespaces.
  var elsewhere = 0

  /// The kernel's release.
  var release: String { kernel.release }

  /// Looks around in the namespace of the calling thread.
  static func collect(
    _ kernel: any StatusKernel, withRequirements: Bool = true
  ) throws(KernelError) -> StatusFindings {
    var findings = StatusFindings(kernel: kernel)
    if withRequirements {
      findings.requirements = kernel.requirements()
      findings.routerTracing = kernel.routerTracing()
    }
    if StateFile.isReadable(StateDirectory.path) {
      try findings.read(SetupFiles(namespace: kernel.place()))
    } else {
      findings.hidden.append(
        "\(StateDirectory.path) may only be read by root: what is set up is not known")
    }
    let tables = findings.lookAtTables()
    findings.look = findings.setup.map { findings.look(at: $0, tables) }
    return findings
  }

  private init(kernel: any StatusKernel) { self.kernel = kernel }

  private mutating func read(_ setupFiles: SetupFiles) throws(KernelError) {
    elsewhere = try SetupFiles.keys().count { $0 != setupFiles.namespace.key }
    if let secret = setupFiles.unreadable() {
      hidden.append(secret)
      return
    }
    setup = try setupFiles.load()
    if let unknown = try setupFiles.unknownSetup() {
      hidden.append("\(unknown): 'nftrace teardown' takes back what it made")
    }
    recorder = try setupFiles.recorder()
  }

  private mutating func lookAtTables() -> SetupCondition {
    do {
      orphans = try kernel.tables().filter { OwnTable.isOne($0.name) && isOrphan($0.name) }
      guard let setup else { return .unknown }
      let surroundings = try kernel.surroundings()
      if surroundings.installed.isEmpty { return .missing }
      return surroundings.areInOrder(for: setup) ? .installed : .outdated
    } catch {
      hidden.append("\(error)".split(separator: "\n").joined(separator: "; "))
      return .unknown
    }
  }

  /// A table is named after the process it belongs to, or is that of a setup.
  private func isOrphan(_ name: String) -> Bool {
    let table = OwnTable(name: name)
    if table == .setup { return setup == nil && hidden.isEmpty }
    return table?.process.map { kernel.isAlive($0) } != true
  }

  private func look(at setup: SetupState, _ tables: SetupCondition) -> SetupFacts.Look {
    let files = recorder.map { StateDirectory.files(ofRecording: $0.session) } ?? []
    return SetupFacts.Look(
      isProcessAlive: kernel.isAlive(setup.process), tables: tables,
      holder: setup.group.flatMap { kernel.holder(of: $0) },
      hasTun: setup.tun.map { kernel.hasLink($0.name) } ?? false,
      octets: files.compactMap { FileIdentity($0)?.size }.reduce(0, +))
  }
}
