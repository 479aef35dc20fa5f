internal import Kernel
internal import Report

extension SetupRun {
  /// Sets up in all of these namespaces, or in none, and says what was done. No other command is to
  /// change a setup meanwhile.
  package static func run(
    _ request: SetupRequest, in spaces: [ChosenNamespace], _ host: some SetupHost
  ) throws {
    let runs = try setUp(request, spaces, host)
    let reports = try zip(spaces, runs).map { space, run in
      NamespaceReport(space.name, try space.within { try run.statements() })
    }
    if request.options.json { return try Output.print(reports.json("setup")) }
    for report in reports {
      try Output.tell(
        report.statements, isQuiet: request.options.isQuiet,
        name: spaces.count > 1 ? report.name : nil)
    }
  }

  private static func setUp(
    _ request: SetupRequest, _ spaces: [ChosenNamespace], _ host: some SetupHost
  ) throws -> [SetupRun] {
    let unchanged = "nothing is set up in any of them"
    // What is contradictory is found before anything is done.
    let runs = try spaces.map { space in
      try space.within(among: spaces, otherwise: unchanged) {
        try SetupRun(request, host.store(), host.kernel())
      }
    }
    if spaces.count == 1 {
      // The recorder gives up what is left for this.
      try host.rights.keep(
        RuleListing.rights.union([.network, .bounding]), writing: [StateDirectory.path])
    }
    func inAll(_ step: (SetupRun) throws -> Void) throws {
      for (space, run) in zip(spaces, runs) {
        try space.within(among: spaces, otherwise: unchanged) { try step(run) }
      }
    }
    do {
      try inAll { try $0.install() }
      try inAll { try $0.startRecorder(host.loop) }
      try inAll { try $0.keep() }
    } catch {
      var failures: [any Error] = []
      for (space, run) in zip(spaces, runs).reversed() {
        do {
          failures += try space.within { run.undo() }
        } catch {
          failures.append(error)
        }
      }
      guard failures.isEmpty else { throw HalfDone(cause: error, failures: failures) }
      throw error
    }
    return runs
  }
}
