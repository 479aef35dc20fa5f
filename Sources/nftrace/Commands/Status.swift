import App
import ArgumentParser
import Kernel
import Report

struct Status: ParsableCommand {
  static let configuration = CommandConfiguration(
    _superCommandName: Nftrace.name,
    abstract: "List what nftrace has installed here, and whether the kernel has what it needs.",
    discussion: """
      First the setup of this network namespace: since when, by which process, its subnets, NFLOG \
      group, TUN device and recorder; tables of nftrace that nobody owns are named with the \
      command that removes them. With --all that is told of every network namespace of the \
      machine: those with a name, those of processes, and those that are gone. Then what nftrace needs of the kernel and of the rights it runs \
      with; what is missing is named with what would help. Looking changes nothing, and works \
      without rights as far as they go.
      """)

  @Flag(help: "Look into every network namespace of the machine, and tell where something is.")
  var all = false

  @OptionGroup var shared: SharedOptions

  mutating func validate() throws {
    if all, !shared.namespaces.isEmpty {
      throw ValidationError("--all and --netns exclude each other")
    }
  }

  func run() throws {
    if all {
      let status = StatusAll.collect()
      if shared.json {
        try Output.print(status.json)
      } else {
        try Output.print(status.lines(shared.style))
      }
      return
    }
    let spaces = try shared.chosenNamespaces()
    // Each of these is asked for.
    try Privileges.keep(
      [.network, .rawSockets, .bpf, .monitoring, .system, .bounding],
      reading: [StateDirectory.path])
    var isAllTakenBack = true
    let findings = try spaces.map { space in
      try space.within(among: spaces) {
        if let found = try Leftovers.here() {
          try found.say(isNeeded: false)
          isAllTakenBack = isAllTakenBack && found.failures.isEmpty
        }
        return try StatusFindings.collect()
      }
    }
    try Privileges.keep([])
    defer { if !isAllTakenBack { Output.exit(3) } }
    if shared.json {
      try Output.print(
        NamespaceJSON.object("status", zip(spaces, findings).map { ($0.name, $1.members) }))
      return
    }
    var requirements: [Requirement]?
    for (space, findings) in zip(spaces, findings) {
      let isFirst = requirements == nil
      // Mostly the same everywhere.
      let text = StatusText(
        findings, style: shared.style, requirements: findings.requirements != requirements)
      if spaces.count > 1 {
        try Output.print((isFirst ? [] : [""]) + ["network namespace \(space.name ?? "")", ""])
      }
      try Output.print(text.lines)
      requirements = findings.requirements
    }
  }
}
