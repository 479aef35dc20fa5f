import App
import ArgumentParser
import Glibc
import Kernel
import Report
import Wire

struct LabCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lab", _superCommandName: Nftrace.name,
    abstract: "Try it: a router, a client's side and a server in network namespaces of their own.",
    discussion: """
      Without COMMAND a demonstration runs: a ping that gets through, and three that do not, with what helps. \
      With one, it runs in the router; if that is 'nftrace', it is \
      this program: nftrace lab -- nftrace ping --tun tun0 119.29.29.29. Or nftrace lab bash. \
      Everything is removed when it ends, also on Ctrl-C.
      """)

  @Argument(
    parsing: .captureForPassthrough,
    help: ArgumentHelp("What to run in the router.", valueName: "command"))
  var command: [String] = []

  func run() throws {
    var command = command
    if command.first == "--" { command.removeFirst() }
    if let first = command.first, ["-h", "--help", "help"].contains(first) {
      try Output.show(Nftrace.helpMessage(for: LabCommand.self))
      return
    }
    if let first = command.first, first.hasPrefix("-") {
      throw UsageError("lab has no option '\(first)'; put a command behind '--'")
    }
    let code = try Self.inLab { () throws in
      if command.isEmpty { return try Demonstration().run() }
      ChildProcess.offerOurselves()
      if Terminal.isInteractive, ["bash", "sh", "zsh", "fish"].contains(command[0]) {
        Output.complain(
          "in the lab's router: 'nftrace ping --tun tun0 119.29.29.29' asks as its client; 'exit' removes it all"
        )
      }
      return try ChildProcess.run(command)
    }
    Output.exit(code)
  }

  /// Builds the lab, runs `body` in its router, and removes the lab. Should this process die
  /// meanwhile, its guardian removes the lab.
  private static func inLab(_ body: () throws -> Int32) throws -> Int32 {
    try Lab.requireRights()
    try StateDirectory.make()
    try SharedOptions.takeBackLeftovers(isNeeded: true)
    try Lab.removeStale()
    let journal = try GuardedJournal(in: StateDirectory.path, namespaces: true)
    let lab = try Lab.create(.walk, journal: journal)
    let home = try NetworkNamespace.current()
    try lab.server.within { () throws(KernelError) in
      try LabService.echo(at: IPAddress("119.29.29.29")!, port: 53)
    }
    try lab.router.enter()
    let code: Int32
    do {
      try furnish()
      code = try body()
    } catch {
      try home.enter()
      throw error
    }
    try home.enter()
    try lab.remove()
    try journal.end()
    return code
  }

  /// The client's side, and the rule that translates it.
  private static func furnish() throws {
    let tun = try TunDevice("tun0")
    try tun.setPersistent(true)
    var routes = try RouteSocket()
    for text in ["192.168.69.100/24", "fd00:69::100/64"] {
      let address = Prefix(text)!
      guard address.address.family == 4 || Sysctl.forwarding6.exists else { continue }
      try routes.add(address, to: "tun0")
      try LabFirewall.masquerade(address.network)
    }
    try routes.setLink("tun0", up: true)
  }
}
