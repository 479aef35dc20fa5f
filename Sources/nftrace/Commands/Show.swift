import App
import ArgumentParser
import Glibc
import Kernel
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

      Traffic is told as a table of its flows, those that lost most first, and what was lost of them by \
      rule and cause with one timeline each; all packets where there are few. --packet, --last and -v \
      tell packets, -q the sum and the table alone.

      Several FILEs are sessions of several machines, or of one: a packet that is in more than one \
      of them is told as one walk. Clocks need not agree: how far they are apart is found out from \
      the packets. Where one is a ping's, the others are told as machines that watched its probe.

      With several --netns, the recordings of their setups are told as one sequence, and a packet \
      that goes from one of these namespaces into another is told as one walk.

      With --follow, packets are shown as they come, until it is interrupted: those of this \
      namespace's setup from now on, whether it is recorded or not, or those of FILE from its \
      beginning. Each is a line, with its answer if that comes at once; with -v, a timeline; with \
      --json, an object a packet and line. A terminal shows at most 50 lines a second, or 20 \
      timelines, and counts the others.

      With --backend log, what is shown are the lines that the rules of 'setup --backend log' wrote \
      into the kernel log: those of this namespace's setup, or those in FILE, which is what dmesg, \
      journalctl -k or syslog wrote ('-' for standard input). They name no rules and no connections.
      """)

  @Argument(
    help: ArgumentHelp(
      "A session or NFLOG capture; several, or a directory of them, are told as one; with --backend log, a saved kernel "
        + "log.", valueName: "file"),
    completion: .sessions)
  var files: [String] = []

  /// The one that was named, where it is one.
  private var file: String? { files.count == 1 ? files[0] : nil }

  @Option(
    help: ArgumentHelp(
      "What to read: nflog, what is recorded; or log, the kernel log. Default: nflog.",
      valueName: "nflog|log"))
  var backend: SetupBackend?

  @Flag(
    help: """
      A table of flows, those that lost most first: packets, answers, what was lost and to which rule, and when the \
      first and the last were seen.
      """)
  var flows = false

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

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Only packets since this time: \(CalendarReading.forms). In UTC, if there is no offset.",
      valueName: "time"))
  var since: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Only packets until this time.", valueName: "time"))
  var until: String?

  @Option(
    help: ArgumentHelp(
      "Only packets from this address or subnet, perhaps with a port: ADDR:PORT, [IPV6]:PORT.",
      valueName: "addr"))
  var from: String?

  @Option(
    help: ArgumentHelp(
      "Only packets to this address or subnet, perhaps with a port.", valueName: "addr"))
  var to: String?

  @Option(
    help: ArgumentHelp("Only packets from or to this port, or service.", valueName: "n|name"))
  var port: String?

  @Option(
    help: ArgumentHelp(
      "Only packets that met a rule with this in its text, or in what it is called: 'inet filter input'.",
      valueName: "text"))
  var rule: String?

  @Option(
    name: .customLong("protocol"),
    help: ArgumentHelp("Only packets of this protocol: icmp, icmpv6, tcp, udp.", valueName: "p"),
    completion: .list(ProbeProtocol.names))
  var proto: String?

  @Option(
    help: ArgumentHelp(
      "How times are told: relative, microseconds since a packet came in; clock, the time of day; or iso, RFC "
        + "3339 with nanoseconds. In UTC.", valueName: "relative|clock|iso"))
  var time: TimeStyle = .relative

  @Flag(help: "Only packets that did not get through.")
  var lost = false

  @Flag(help: "Every rule that was met, not only those that decided.")
  var rules = false

  @Option(
    help: ArgumentHelp(
      "Write a page for a browser to this file, with all that would be shown.", valueName: "file"),
    completion: .file())
  var html: String?

  @Option(
    help: ArgumentHelp("Write a picture of the packet's path to this file.", valueName: "file"),
    completion: .file())
  var svg: String?

  @Option(
    help: ArgumentHelp(
      "Write the NFLOG messages alone to this file, for tcpdump.", valueName: "file"),
    completion: .file())
  var export: String?

  @Option(help: OTLPExport.help, completion: .file())
  var otlp: String?

  @Flag(help: "Draw the path of a packet and its answer, in the place of timelines.")
  var diagram = false

  @OptionGroup var shared: SharedOptions

  mutating func validate() throws {
    if !files.contains(where: { $0 == "-" || InputFile.exists($0) }),
      let options = CaptureFilter.options(files)
    {
      throw ValidationError(
        "there is no file '\(files.joined(separator: " "))'; packets are chosen with options: nftrace show \(options)"
      )
    }
    for (name, text) in [("--from", from), ("--to", to)] {
      if let text, Self.end(text) == nil {
        throw ValidationError(
          "\(name) '\(text)' is not an address, ADDRESS/LENGTH, ADDRESS:PORT or [IPV6]:PORT")
      }
    }
    if let port, Self.port(port) == nil {
      throw ValidationError(
        "--port '\(port)' is neither a port, 1 to 65535, nor a service in /etc/services")
    }
    if rule?.isEmpty == true { throw ValidationError("--rule is a part of a rule's text") }
    for (name, text) in [("--since", since), ("--until", until)] {
      if let text, Self.moment(text) == nil {
        throw ValidationError("\(name) '\(text)' is no time. Times are: \(CalendarReading.forms)")
      }
    }
    if let since, let until, Self.moment(since)! > Self.moment(until)! {
      throw ValidationError("--since '\(since)' is behind --until '\(until)'")
    }
    if follow, flows { throw ValidationError("--follow and --flows exclude each other") }
    if follow, until != nil { throw ValidationError("--follow has no end: not with --until") }
    if let proto, IPProtocol(proto) == nil {
      throw ValidationError(
        "--protocol '\(proto)' is none that is known by name: icmp, icmpv6, tcp, udp or a number "
          + "up to 255")
    }
    if let last, last < 1 { throw ValidationError("--last is 1 or more") }
    if let packet, packet < 1 { throw ValidationError("--packet is 1 or more") }
    if shared.namespaces.count > 1,
      let option = files.first.map({ _ in "FILE" }) ?? export.map({ _ in "--export" })
    {
      throw ValidationError("several --netns and \(option) exclude each other")
    }
    if follow, last != nil { throw ValidationError("--follow has no last packet: not with --last") }
    if backend == .log, shared.namespaces.count > 1 {
      throw ValidationError(
        "--backend log is for one --netns: namespaces share the kernel log, and its lines do not "
          + "say whose they are")
    }
    if files.count > 1, let option = follow ? "--follow" : backend == .log ? "--backend log" : nil {
      throw ValidationError("\(option) is for one FILE, and \(files.count) are named")
    }
    if backend == .log, export != nil {
      throw ValidationError("--export writes NFLOG messages, and the kernel log has none")
    }
    if backend == .log, follow, file != nil {
      throw ValidationError(
        "--follow --backend log follows the running kernel's log, no FILE: "
          + "'tail -f FILE | nftrace show --backend log -' does")
    }
    try checkFiles()
  }

  /// What is written to a file is told in one way, and to its end.
  private func checkFiles() throws {
    let files = [("--html", html), ("--svg", svg), ("--export", export)].filter { $0.1 != nil }
      .map(\.0)
    if otlp != nil, export != nil {
      throw ValidationError("--export and --otlp exclude each other")
    }
    for name in files {
      for (other, isThere) in [("--flows", flows), ("--follow", follow)] where isThere {
        throw ValidationError("\(other) and \(name) exclude each other")
      }
      if shared.json, name != "--export" {
        throw ValidationError("--json and \(name) exclude each other")
      }
    }
    if files == ["--html", "--svg"] {
      if html == svg { throw ValidationError("--html and --svg name one file, and write two") }
      if file == "-" {
        throw ValidationError(
          "standard input is read once, and --html and --svg are two reports of it: name a file, or one of them"
        )
      }
    } else if files.count > 1 {
      throw ValidationError("\(files[0]) and \(files[1]) exclude each other")
    }
  }

  private static func moment(_ text: String) -> UInt64? {
    CalendarReading.nanoseconds(text, now: Clock.realtime)
  }

  private static func port(_ text: String) -> UInt16? {
    (Names.port(text, .tcp) ?? Names.port(text, .udp)).flatMap { $0 > 0 ? $0 : nil }
  }

  /// An address or a subnet, a port, or both.
  private static func end(_ text: String) -> (prefix: Prefix?, port: UInt16?)? {
    if let prefix = Prefix(text) { return (prefix, nil) }
    guard let colon = text.lastIndex(of: ":"),
      let port = port(String(text[text.index(after: colon)...]))
    else { return nil }
    var host = text[..<colon]
    if host.isEmpty { return (nil, port) }
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = host.dropFirst().dropLast()
    } else if host.contains(":") {
      return nil
    }
    return Prefix(host).map { ($0, port) }
  }

  func run() throws {
    // Opening what is read to be written would empty it.
    if let otlp, let input = file.flatMap({ FileIdentity($0) }), let output = FileIdentity(otlp),
      input.isSame(as: output)
    {
      throw UsageError("\(otlp) is what is read: write to another file")
    }
    // The calling network namespace has the collector.
    let export = try OTLPExport.open(otlp)
    let spaces = try shared.chosenNamespaces()
    for space in spaces {
      try space.within(among: spaces) { try SharedOptions.takeBackLeftovers() }
    }
    var options = shared.output
    options.style.allRules = rules
    options.style.time = time
    options.style.isDrawn = diagram
    let (from, to) = (from.flatMap { Self.end($0) }, to.flatMap { Self.end($0) })
    var request = ShowRequest(
      named: files,
      filter: ExchangeFilter(
        from: from?.prefix, fromPort: from?.port, to: to?.prefix, toPort: to?.port,
        port: port.flatMap { Self.port($0) }, proto: proto.flatMap { IPProtocol($0) }, rule: rule,
        since: since.flatMap { Self.moment($0) }, until: until.flatMap { Self.moment($0) },
        packet: packet, onlyLost: lost),
      last: last, html: html, export: self.export, options: options)
    request.otlp = export
    request.flows = flows
    request.svg = svg
    let host = LiveShow()
    let run = ShowRun(request, host)
    let code: Int32
    switch (backend == .log, follow) {
    case (true, true): code = try run.followKernelLog(spaces[0])
    case (false, true): code = try run.follow(spaces)
    case (true, false): code = try paged(host) { try run.showKernelLog(spaces[0]) }
    case (false, false): code = try paged(host) { try run.show(spaces) }
    }
    // Who follows has waited for it already, as long as nobody was tired of that.
    if !follow { export?.finish() }
    Output.exit(code)
  }

  /// Runs `body`, whose output a person reads in a pager if it goes to a terminal.
  private func paged(_ host: LiveShow, _ body: () throws -> Int32) throws -> Int32 {
    guard host.isInteractive, html == nil, svg == nil, export == nil, !shared.quiet else {
      return try body()
    }
    if let missing = Pager.missing {
      Output.complain(
        "$PAGER is \(Escape.name(missing)), which is no program that runs: shown without it")
      return try body()
    }
    guard let pager = Pager.start() else { return try body() }
    let result = Result { try body() }
    if !pager.finish() {
      Output.complain(
        "$PAGER could not be run: with 'PAGER=' before the command it is shown without one")
    }
    do {
      return try result.get()
    } catch let error as KernelError where error.errno == EPIPE && error.function == "write" {
      // Who read it has read enough.
      return 0
    }
  }
}
