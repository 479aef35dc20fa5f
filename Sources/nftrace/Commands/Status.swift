import App
import ArgumentParser

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
    let status = StatusRun(LiveStatus())
    if all { return try status.runEverywhere(shared.output) }
    let code = try status.run(in: shared.chosenNamespaces(), shared.output)
    if code != 0 { Output.exit(code) }
  }
}
