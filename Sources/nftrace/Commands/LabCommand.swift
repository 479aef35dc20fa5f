import ArgumentParser
import Glibc
import Kernel
import Report
import Trace
import Wire

struct LabCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lab", _superCommandName: Nftrace.name,
    abstract: "Try it: a router, a client's side and a server in network namespaces of their own.",
    discussion: """
      Without COMMAND a demonstration runs. With one, it runs in the router, where 'nftrace' is \
      this program: nftrace lab -- nftrace ping --tun tun0 119.29.29.29, or nftrace lab bash. \
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
      command.isEmpty ? try Demonstration.run() : try ChildProcess.run(command)
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

/// What 'nftrace lab' shows to somebody who sees it for the first time.
enum Demonstration {
  static func run() throws -> Int32 {
    let style = Output.style(color: .auto, verbosity: .normal)
    let line = style.unicode ? "──" : "--"
    try Output.show(
      """
      A router and a server, each in a network namespace made for this:

        client            router                            server
        192.168.69.1 \(line) tun0   eth0 172.16.16.15 \(line) 172.16.16.1, 119.29.29.29

      The router forwards, and masquerades what comes from 192.168.69.0/24. nftrace
      plays the client: it puts a ping into tun0 and watches it go through the router.

      $ nftrace ping -s 192.168.69.1 --tun tun0 119.29.29.29

      """)
    let code = try Ping.parse(["-s", "192.168.69.1", "--tun", "tun0", "119.29.29.29"])
      .send(isAll: false)
    try Output.show(
      """

      How to read it: the request comes in at tun0 and meets the tables of each
      hook from left to right. After PREROUTING its route is chosen, and forwarding
      takes 1 off its TTL. The last table, nat at POSTROUTING, gives it the router's
      own address as source. The answer comes back to that address, and conntrack
      puts the client's in again without asking a rule.

      Go on:
        nftrace lab -- nftrace ping --tun tun0 2001:db8:29::29   the same with IPv6
        nftrace lab -- nftrace ping --tun tun0 172.16.16.15      to the router itself
        nftrace lab bash                                         a shell in the router
        nftrace ping --local DEST                                from this machine
      """)
    return code
  }
}
