package import Kernel
internal import Report
internal import Trace

/// Tells what there is of nftrace.
package struct StatusRun {
  private let kernel: any StatusKernel

  /// Asks this kernel.
  package init(_ kernel: any StatusKernel) { self.kernel = kernel }

  /// Tells of every network namespace of the machine.
  package func runEverywhere(_ options: OutputOptions) throws(KernelError) {
    let all = StatusAll.collect(kernel)
    if options.json {
      try Output.print(.object(JSONObjects.head("status") + all.statements().members))
    } else {
      try Output.tell(all.statements(isQuiet: options.isQuiet))
    }
  }

  /// Tells of these namespaces. Returns the exit code: 3 where something of a command that was killed
  /// could not be taken back.
  package func run(in spaces: [ChosenNamespace], _ options: OutputOptions) throws -> Int32 {
    // Each of these is asked for.
    try kernel.rights.keep(
      [.network, .rawSockets, .bpf, .monitoring, .system, .bounding], writing: [],
      reading: [StateDirectory.path])
    var isAllTakenBack = true
    let findings = try spaces.map { space in
      try space.within(among: spaces) {
        if let found = try Leftovers.here() {
          try found.say(isNeeded: false)
          isAllTakenBack = isAllTakenBack && found.failures.isEmpty
        }
        return try StatusFindings.collect(kernel)
      }
    }
    try kernel.rights.keep([])
    if options.json {
      let reports = zip(spaces, findings).map { NamespaceReport($0.name, $1.statements()) }
      try Output.print(reports.json("status"))
    } else {
      try tell(spaces, findings, options)
    }
    return isAllTakenBack ? 0 : 3
  }

  private func tell(
    _ spaces: [ChosenNamespace], _ findings: [StatusFindings], _ options: OutputOptions
  ) throws(KernelError) {
    for (index, space) in spaces.enumerated() {
      if spaces.count > 1 {
        try Output.print(
          (index == 0 ? [] : [""]) + ["network namespace \(space.name ?? "")", ""])
      }
      // Mostly the same everywhere.
      let isKnown = index > 0 && findings[index].requirements == findings[index - 1].requirements
      try Output.tell(
        findings[index].statements(tellsRequirements: !isKnown), isQuiet: options.isQuiet)
    }
  }
}
