import App
import ArgumentParser
import Glibc
import Kernel
import Report
import Trace
import Wire

struct Ping: ParsableCommand {
  static let configuration = CommandConfiguration(
    _superCommandName: Nftrace.name,
    abstract: "Send a probe, watch it at every hook, and say what happened to it.",
    discussion: """
        nftrace ping 203.0.113.9                     as this host
        nftrace ping -s 192.168.1.20 203.0.113.9     as a client behind this router
        nftrace ping example.org:443                 a TCP port

      Where the probe enters follows from who asks. Without -s, --in and --tun this host sends it; \
      but where a setup made a TUN device, a client behind that does. With -s it comes in by the \
      interface behind which that address is, as if it had arrived there; --in, --tun and \
      --tun-address name the interface, and choose a client there if -s does not. With --local as \
      well it goes both ways, one after the other, and where they differ is told. Its payload or \
      its numbers mark it, so that nobody else's packets are taken for it. With several --netns it \
      enters in the first, and is followed through all: what is found says in which, and the remedy \
      is for a shell anywhere on the machine. Rules, device and settings are gone when the command \
      ends, however it ends.
      """)

  @Argument(
    help: ArgumentHelp(
      "Where the probe goes: an address or a name, or HOST:PORT, [IPV6]:PORT, fe80::1%eth0, or a URL.",
      valueName: "dest"))
  var dest: String?

  @Argument(help: .hidden)
  var others: [String] = []

  /// What DEST is, or the receiver of the packet that is sent again.
  var destination: String { like.map { "\($0.packet.destination)" } ?? dest ?? "" }

  @Flag(name: .customShort("4"), help: "Of a name, take the first IPv4 address.")
  var onlyIPv4 = false

  @Flag(name: .customShort("6"), help: "Of a name, take the first IPv6 address.")
  var onlyIPv6 = false

  @Option(
    name: .customShort("I", allowingJoined: true),
    help: ArgumentHelp(
      "Send from this address, as -s does; or from this host, through this interface.",
      valueName: "addr|iface"), completion: .interfaces)
  var from: String?

  @Option(
    name: [.customShort("s", allowingJoined: true), .customLong("source")],
    help: ArgumentHelp(
      "The probe's source address: one of this host, or of a client or somebody far away. "
        + "Default: as routing chooses; with --in, a neighbour's there; with --tun, the first free "
        + "one of its subnet.",
      valueName: "addr"))
  var source: String?

  @Option(
    name: [.customShort("p", allowingJoined: true), .customLong("protocol")],
    help: ArgumentHelp(
      "What to send: icmp (echo request), udp (a datagram), tcp (a SYN, ended by a reset), or any "
        + "other IP protocol by its name or number. Default: icmp, and tcp where DEST has a port.",
      valueName: "protocol"), completion: .list(ProbeProtocol.names),
    transform: Self.protocol)
  var named: NamedProtocol?

  /// A protocol, and what it was called.
  struct NamedProtocol {
    let name: String
    let proto: ProbeProtocol
  }

  /// The protocol that `-p` names.
  var asked: ProbeProtocol? {
    get { named?.proto }
    set { named = newValue.map { NamedProtocol(name: $0.description, proto: $0) } }
  }

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The port it goes to: a number, a service's name, or both parts of tcp/443. Default for udp: "
        + "33434; tcp needs one.", valueName: "n|name"))
  var dport: String?

  @OptionGroup var packet: PacketOptions

  @Option(
    name: [.customShort("c", allowingJoined: true), .long], parsing: .unconditional,
    help: ArgumentHelp("How many probes to send.", valueName: "n"))
  var count: Int = 1

  @Option(
    name: [.customShort("i", allowingJoined: true), .long],
    parsing: .unconditional,
    help: ArgumentHelp(
      "Seconds between probes; 0 sends the next one as soon as the last one is answered.",
      valueName: "s"), transform: Self.seconds)
  var interval: Double = 1

  @Option(
    name: [.customShort("W", allowingJoined: true), .long],
    parsing: .unconditional, help: ArgumentHelp("Seconds to wait for an answer.", valueName: "s"))
  var timeout: Double = 1

  @Option(
    help: ArgumentHelp(
      "Let the probe come from a client behind this TUN device, which must exist.",
      valueName: "name"), completion: .interfaces)
  var tun: String?

  @Option(
    help: ArgumentHelp(
      "Let the probe come from a client behind a TUN device of this address, which is made and "
        + "removed. With --masquerade or --forward: 192.168.69.100/24 or fd00:69::100/64.",
      valueName: "cidr"))
  var tunAddress: String?

  @Flag(help: "Send the probe from this host: the OUTPUT path. With a client as well, both ways.")
  var local = false

  @Option(
    name: .customLong("in"),
    help: ArgumentHelp(
      "Let the probe arrive on this interface, as if a neighbour had sent it.",
      valueName: "iface"), completion: .interfaces)
  var arriving: String?

  @Option(
    help: ArgumentHelp(
      "With --in, the Ethernet address it comes from. Default: that of the neighbour that has the "
        + "source address, if known.", valueName: "mac"))
  var sourceMac: String?

  @Option(
    help: ArgumentHelp(
      "With --in, the Ethernet address it goes to. Default: the one that a host there would send it to: "
        + "this host's, or the other neighbour's behind a bridge.",
      valueName: "mac"))
  var destMac: String?

  @Flag(
    help: "The probe meets every rule and is discarded at the end: nothing leaves this host.")
  var dryRun = false

  @Option(
    help: ArgumentHelp(
      "With -p tcp, the flags of the probe: names with commas, such as syn,ack. Default: syn.",
      valueName: "list"), completion: .list(["syn", "ack", "fin", "rst", "psh", "urg"]))
  var tcpFlags: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "With -p tcp, make the connection, and send this text by it: a second probe, whose way is watched as well. "
        + "--size makes it longer. The connection is ended with a reset.", valueName: "text"))
  var data: String?

  @OptionGroup var machines: MachineOptions

  @Option(
    help: ArgumentHelp(
      "With --local, the control group whose process sends it, as /proc/PID/cgroup has it.",
      valueName: "path"))
  var cgroup: String?

  @Option(
    help: ArgumentHelp(
      "Send the N-th packet of this capture again (pcap, pcapng or a session; default: the first), as it "
        + "was but for its checksum. DEST, ports and all are its own; where it enters follows from its "
        + "source.", valueName: "file[:n]"), completion: .sessions,
    transform: Self.captured)
  var like: CapturedProbe?

  @Flag(
    name: .customShort("n"),
    help: ArgumentHelp("Accepted: addresses are never looked up.", visibility: .hidden))
  var numeric = false

  @Option(
    name: .customLong("with"), parsing: .singleValue,
    help: ArgumentHelp(
      "Run this command in a copy of the network namespace, and send the probe there: what would happen, were it "
        + "so. Several are run in their order. Nothing of the original is touched.",
      valueName: "command"))
  var with: [String] = []

  @Flag(
    help: "Do not try the remedy of a lost probe in a copy of the network namespace.")
  var noRehearsal = false

  @OptionGroup var trial: TrialOptions

  @Flag(help: "Masquerade the probe's source while the command runs.")
  var masquerade = false

  @Flag(help: "Switch on forwarding while the command runs.")
  var forward = false

  @Option(
    name: [.customShort("w", allowingJoined: true), .long],
    help: ArgumentHelp("Keep the session in this file.", valueName: "file"), completion: .file())
  var write: String?

  @Option(
    help: ArgumentHelp(
      "How times are told: relative, microseconds since a packet came in; clock, the time of day; or iso, RFC "
        + "3339 with nanoseconds. In UTC.", valueName: "relative|clock|iso"))
  var time: TimeStyle = .relative

  @Option(
    help: ArgumentHelp(
      "Write a page for a browser to this file as well: the picture, all steps, and what a ticket needs.",
      valueName: "file"))
  var html: String?

  @Option(
    help: ArgumentHelp(
      "Write a picture of the probe's path to this file as well.", valueName: "file"),
    completion: .file())
  var svg: String?

  @Option(help: OTLPExport.help, completion: .file())
  var otlp: String?

  @Flag(help: "Draw the path of a packet and its answer, in the place of timelines.")
  var diagram = false

  @OptionGroup var shared: SharedOptions

  mutating func validate() throws {
    like = like ?? trial.octets
    try checkLike()
    try checkOthers()
    guard let target = ProbeTarget(destination) else {
      throw ValidationError(Self.notAnAddress(destination, "DEST"))
    }
    try checkTarget(target)
    if let source, IPAddress(source) == nil {
      throw ValidationError(Self.notAnAddress(source, "--source"))
    }
    if let address = target.address { try checkVersions(address.family) }
    try Self.check("--count", count, 1...1_000_000)
    try packet.check(for: kind, fromClient: hasClient && !local)
    try checkData()
    if like == nil { try checkPorts() }
    guard (0...3600).contains(interval) else {
      throw ValidationError("--interval is in seconds, 0 to 3600")
    }
    guard timeout > 0, timeout <= 3600 else {
      throw ValidationError("--timeout is in seconds, more than 0 and at most 3600")
    }
    try checkEntrance()
    try checkMachines()
    try checkCarriers()
    if tun != nil, tunAddress != nil {
      throw ValidationError(
        "--tun-address is for a device that is made; --tun names one that exists")
    }
  }

  private func checkVersions(_ to: Int) throws {
    if let source = sender, let from = IPAddress(source)?.family, from != to {
      throw ValidationError(
        "source \(source) is IPv\(from) and destination \(destination) is IPv\(to): a packet has one IP "
          + "version")
    }
    if to == 4, let name = named?.name, IPProtocol(name) == .icmpv6 {
      throw ValidationError(
        "-p \(name) is of IPv6, and \(destination) is an address of IPv4: -p icmp, the default, sends its echo request"
      )
    }
    guard let tunAddress else { return }
    let device = try Self.tunAddress(tunAddress)
    if device.address.family != to {
      throw ValidationError(
        "--tun-address \(device) is IPv\(device.address.family) and destination \(destination) is "
          + "IPv\(to): give one of the destination's version")
    }
  }

  /// Where it goes, looked up if that is a name.
  struct Destination {
    var address: IPAddress
    /// The name it was found by.
    var name: String?
  }

  func lookedUp() throws -> Destination {
    let target = ProbeTarget(destination)!
    if let address = target.address { return Destination(address: address) }
    let version = onlyIPv4 ? 4 : onlyIPv6 ? 6 : sender.flatMap { IPAddress($0)?.family }
    let address = try Names.address(of: target.name!, version: version)
    do {
      try checkVersions(address.family)
      try checkCarriers(address.family)
    } catch let error as ValidationError {
      throw UsageError(error.message)
    }
    return Destination(address: address, name: target.name)
  }

  var kind: any ProbeKind { proto.kind }

  /// The protocol that was asked for, in one way or another.
  var proto: ProbeProtocol {
    like.map { ProbeProtocol(like: $0.packet) } ?? asked ?? portWish?.proto ?? transport
      ?? (ProbeTarget(destination)?.port == nil ? .icmp : .tcp)
  }

  /// The port it goes to; nil for a protocol without.
  var port: UInt16? {
    if let like { return like.packet.destinationPort }
    return switch kind.ports {
    case .none: nil
    case .required: askedPort
    case .usual(let port): askedPort ?? port
    }
  }

  func run() throws {
    // The calling namespace has the resolver that people mean.
    let to = try lookedUp()
    if trial.prove { return try prove(to: to) }
    CommandTrace.remark()
    // So has it the collector.
    let export = try OTLPExport.open(otlp)
    if !with.isEmpty { Output.exit(try rehearse(to: to, export: export)) }
    let spaces = try shared.chosenNamespaces()
    // The way to other machines begins where people are.
    let machines = try machines.connect()
    try spaces[0].enter()
    for space in spaces {
      try space.within(among: spaces) { try SharedOptions.takeBackLeftovers(isNeeded: forward) }
    }
    let sent = Result { try send(to: to, in: spaces, via: machines, export: export).code }
    for machine in machines { machine.hangUp() }
    for machine in machines { machine.leave() }
    Output.exit(try sent.get())
  }
}
