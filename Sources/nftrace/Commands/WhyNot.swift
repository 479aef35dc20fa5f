import App
import ArgumentParser
import Kernel
import Report
import Trace
import Wire

struct WhyNot: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "why-not", _superCommandName: Nftrace.name,
    abstract: "Search, in copies, for the smallest change with which a probe gets through.",
    discussion: """
        nftrace why-not 203.0.113.9:443
        nftrace why-not --in lan0 -s 192.168.1.20 203.0.113.9:443

      The probe is asked as 'nftrace ping' asks it, in a copy of this network namespace. While it is lost there, \
      one thing after the other is another in a new copy: what helps as ping says it, elements of the sets that were \
      looked up, the rules that were met, sysctls, rules of policy routing. What is printed is proven, and what it would \
      open besides is asked as well: another port, another source. Nothing of the original is touched.

      Exits with 0 if the probe gets through or a change is found, 1 if none is.
      """)

  @Argument(
    help: ArgumentHelp(
      "Where the probe goes: an address, or HOST:PORT, [IPV6]:PORT.", valueName: "dest"))
  var dest: String

  @Option(
    name: [.customShort("s"), .customLong("source")],
    help: ArgumentHelp("The probe's source address. Default: as ping has it.", valueName: "addr"))
  var source: String?

  @Option(
    name: .customLong("in"),
    help: ArgumentHelp("Let it arrive on this interface.", valueName: "iface"),
    completion: .interfaces)
  var arriving: String?

  @Option(
    name: [.customShort("p"), .customLong("protocol")],
    help: ArgumentHelp(
      "What to send. Default: icmp, and tcp where DEST has a port.", valueName: "protocol"),
    completion: .list(ProbeProtocol.names))
  var proto: String?

  @Option(
    help: ArgumentHelp("The port it goes to: a number or a service's name.", valueName: "n|name"))
  var dport: String?

  @Flag(help: "Send the probe from this host: the OUTPUT path, from the address that -s names.")
  var local = false

  @OptionGroup var packet: PacketOptions

  @Option(
    parsing: .singleValue,
    help: ArgumentHelp(
      "Rules in the place of those that are there, as 'check' takes them.", valueName: "file"),
    completion: .file())
  var ruleset: [String] = []

  @Option(
    help: ArgumentHelp("Interfaces and routes in the place of this host's.", valueName: "file"),
    completion: .file())
  var topology: String?

  @Option(
    help: ArgumentHelp("End the search after so many seconds.", valueName: "s"))
  var within: Double?

  /// What `ping -v` searches with: nftrace, as its own child.
  @Flag(help: .hidden)
  var prove = false

  @OptionGroup var shared: SharedOptions

  mutating func validate() throws {
    guard let target = ProbeTarget(dest), target.address != nil else {
      throw ValidationError(
        "DEST '\(Escape.name(dest))' is no address, such as 203.0.113.9 or 203.0.113.9:443")
    }
    if let source, IPAddress(source) == nil {
      throw ValidationError("--source '\(Escape.name(source))' is no IP address")
    }
    if let proto, ProbeProtocol(proto) == nil {
      throw ValidationError("-p '\(Escape.name(proto))' is no protocol, such as tcp, udp or icmp")
    }
    if let within, !(within > 0 && within <= 3600) {
      throw ValidationError("--within is in seconds, more than 0 and at most 3600")
    }
    if topology != nil, !shared.namespaces.isEmpty {
      throw ValidationError("--topology is in the place of a network namespace: leave --netns out")
    }
    _ = try question()
  }

  /// Seconds for which `ping -v` searches.
  private static let patience = 2.0

  private func question() throws -> FirewallTest {
    let target = ProbeTarget(dest)!
    let text = dport ?? target.port
    let kind = proto.flatMap { ProbeProtocol($0) } ?? (text == nil ? .icmp : .tcp)
    let address = target.address!
    var port: UInt16?
    switch kind.kind.ports {
    case .none:
      if text != nil { throw ValidationError("\(kind) has no ports: add -p tcp or -p udp") }
    case .required, .usual:
      if let text {
        port = Names.port(text, kind.kind.number(address.family))
        if port == nil { throw ValidationError("'\(Escape.name(text))' is no port") }
      } else if case .usual(let usual) = kind.kind.ports {
        port = usual
      } else {
        throw ValidationError("-p \(kind) needs a port: --dport N")
      }
    }
    if packet.sport != nil, case .none = kind.kind.ports {
      throw ValidationError(
        "--sport is for protocols that have ports, and \(kind) has no ports: add -p tcp or -p udp")
    }
    let from = source.flatMap { IPAddress($0) }
    if let from, from.family != address.family {
      throw ValidationError("\(from) and \(address) are of two IP versions")
    }
    if local, arriving != nil {
      throw ValidationError("--local and --in exclude each other: one of them sends the probe")
    }
    let origin: FirewallTest.Origin =
      arriving.map { .behind($0, from) }
      ?? from.map { local ? .local($0) : .somebody($0) } ?? .local(nil)
    try packet.check(for: kind.kind, fromClient: !local && (arriving != nil || from != nil))
    var question = FirewallTest(
      name: "", line: 0, from: origin, destination: address, proto: kind, port: port,
      expected: Expectation(.accept))
    question.expected.isAnswered = true
    question.sourcePort = packet.sport.map { UInt16($0) }
    question.name = question.title
    return question
  }

  func run() throws {
    let rulesets = try ruleset.map { try CheckFiles.ruleset($0) }
    let topology = try topology.map { try CheckFiles.topology($0) }
    if topology == nil { try CheckPlace.needsRoot("copy this network namespace") }
    if prove { ChildProcess.endWithParent() }
    let seconds = within ?? (prove ? Self.patience : nil)
    let search = WhyNotSearch(question: try question(), packet, within: seconds) {
      [shared] commands in
      try CheckPlace(topology, rulesets, shared, isLive: false, commands: commands)
    }
    let report = try search.run()
    if prove {
      if let found = report.found { try Output.show(found.json) }
    } else if shared.json {
      try Output.print(report.json)
    } else {
      let style = shared.style
      try Output.show(style.written(report.lines(style)).joined(separator: "\n"))
    }
    Output.exit(report.exitCode)
  }
}
