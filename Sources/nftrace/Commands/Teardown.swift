import App
import ArgumentParser
import Kernel

struct Teardown: ParsableCommand {
  static let configuration = CommandConfiguration(
    _superCommandName: Nftrace.name,
    abstract: "Remove what setup made.",
    discussion: """
      The inverse of 'nftrace setup': ends the recorder, removes the tables and the TUN device that \
      setup made, and sets the sysctls back that it changed. With subnets only these are watched no \
      longer; the last one takes everything with it. The recording stays for 'nftrace show', \
      and beyond the next setup, which says where; 'nftrace recordings' removes it. Where nothing \
      is set up, nothing is done.
      """)

  @Argument(
    help: ArgumentHelp("The subnets to watch no longer. Default: all.", valueName: "subnet"))
  var subnets: [String] = []

  @OptionGroup var shared: SharedOptions

  mutating func validate() throws { _ = try Setup.parse(subnets: subnets) }

  func run() throws {
    let spaces = try shared.chosenNamespaces()
    try StateDirectory.make()
    // The second for namespaces, and what a lab that died left of them.
    try Privileges.keep([.network, .system], writing: [StateDirectory.path])
    let lock = try SetupFiles.lock()
    let host = LiveSetupHost(loop: Loop())
    try TeardownRun(Setup.parse(subnets: subnets), host).run(in: spaces, shared.output)
    _ = lock
  }
}
