import App
import ArgumentParser
import Report
import Trace
import Wire

struct Show: ParsableCommand {
  static let configuration = CommandConfiguration(
    _superCommandName: Nftrace.name,
    abstract: "Render recorded packets as timelines.",
    discussion: """
      FILE is a session that nftrace wrote ('ping -w', 'record'), or a capture of \
      'tcpdump -i nflog:N -w', or the name of a recording as 'nftrace recordings' lists it. Without \
      it, the recording of this namespace's setup is shown, or else the latest ping; which one that \
      is, and of when, is said on standard error.

      With several --netns, the recordings of their setups are told as one sequence, and a packet \
      that goes from one of these namespaces into another is told as one walk.

      With --follow, packets are shown as they are recorded, until it is interrupted: those of this \
      namespace's setup from now on, whether it is recorded or not, or those of FILE from its \
      beginning. With --json, that is one object a packet and line. A terminal shows at most 20 \
      exchanges a second in full, and counts the others by flow.

      With --backend log, what is shown are the lines that the rules of 'setup --backend log' wrote \
      into the kernel log: those of this namespace's setup, or those in FILE, which is what dmesg, \
      journalctl -k or syslog wrote ('-' for standard input). They name no rules and no connections.
      """)

  @Argument(
    help: ArgumentHelp(
      "A session or NFLOG capture; with --backend log, a saved kernel log.", valueName: "file"))
  var file: String?

  @Option(
    help: ArgumentHelp(
      "What to read: nflog, what is recorded; or log, the kernel log. Default: nflog.",
      valueName: "nflog|log"))
  var backend: SetupBackend?

  @Flag(help: "Go on with what is recorded from now on.")
  var follow = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Only the last so many exchanges: packets with their answers.", valueName: "n"))
  var last: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Only the packet with this number.", valueName: "id"))
  var packet: Int?

  @Option(help: ArgumentHelp("Only packets from this address or subnet.", valueName: "addr"))
  var from: String?

  @Option(help: ArgumentHelp("Only packets to this address or subnet.", valueName: "addr"))
  var to: String?

  @Option(
    name: .customLong("protocol"),
    help: ArgumentHelp("Only packets of this protocol: icmp, icmpv6, tcp, udp.", valueName: "p"))
  var proto: String?

  @Flag(help: "Only packets that did not get through.")
  var lost = false

  @Flag(help: "Every rule that was met, not only those that decided.")
  var rules = false

  @Option(
    help: ArgumentHelp(
      "Write a page for a browser to this file, with all that would be shown.", valueName: "file"))
  var html: String?

  @Option(
    help: ArgumentHelp(
      "Write the NFLOG messages alone to this file, for tcpdump.", valueName: "file"))
  var export: String?

  @OptionGroup var shared: SharedOptions

  mutating func validate() throws {
    for (name, text) in [("--from", from), ("--to", to)] {
      if let text, Prefix(text) == nil {
        throw ValidationError("\(name) '\(text)' is not an address or ADDRESS/LENGTH")
      }
    }
    if let proto, IPProtocol(proto) == nil {
      throw ValidationError(
        "--protocol '\(proto)' is none that is known by name: icmp, icmpv6, tcp, udp or a number "
          + "up to 255")
    }
    if let last, last < 1 { throw ValidationError("--last is 1 or more") }
    if let packet, packet < 1 { throw ValidationError("--packet is 1 or more") }
    if shared.namespaces.count > 1,
      let option = file.map({ _ in "FILE" }) ?? export.map({ _ in "--export" })
    {
      throw ValidationError("several --netns and \(option) exclude each other")
    }
    if follow, last != nil { throw ValidationError("--follow has no last packet: not with --last") }
    if backend == .log, shared.namespaces.count > 1 {
      throw ValidationError(
        "--backend log is for one --netns: namespaces share the kernel log, and its lines do not "
          + "say whose they are")
    }
    if backend == .log, export != nil {
      throw ValidationError("--export writes NFLOG messages, and the kernel log has none")
    }
    if backend == .log, follow, file != nil {
      throw ValidationError(
        "--follow --backend log follows the running kernel's log, no FILE: "
          + "'tail -f FILE | nftrace show --backend log -' does")
    }
    if follow, export != nil { throw ValidationError("--follow and --export exclude each other") }
    if follow, html != nil { throw ValidationError("--follow and --html exclude each other") }
    if shared.json, html != nil { throw ValidationError("--json and --html exclude each other") }
    if export != nil, html != nil {
      throw ValidationError("--export and --html exclude each other")
    }
  }

  func run() throws {
    let spaces = try shared.chosenNamespaces()
    for space in spaces {
      try space.within(among: spaces) { try SharedOptions.takeBackLeftovers() }
    }
    var options = shared.output
    options.style.allRules = rules
    let request = ShowRequest(
      file: file,
      filter: ExchangeFilter(
        from: from.flatMap { Prefix($0) }, to: to.flatMap { Prefix($0) },
        proto: proto.flatMap { IPProtocol($0) }, packet: packet, onlyLost: lost),
      last: last, html: html, export: export, options: options)
    let run = ShowRun(request, LiveShow())
    let code =
      switch (backend == .log, follow) {
      case (true, true): try run.followKernelLog(spaces[0])
      case (true, false): try run.showKernelLog(spaces[0])
      case (false, true): try run.follow(spaces)
      case (false, false): try run.show(spaces)
      }
    Output.exit(code)
  }
}
