internal import Wire

extension ProbePlan {
  /// The command line that sends these probes again, in the first of these network namespaces, and watches them
  /// in all, and on these machines; nil where it is not known what to call the entrance, or the file that the probe was read from.
  func command(
    in namespaces: [Command], via machines: [Command] = [], count: Int = 1,
    asksRouters: Bool = false
  )
    -> Command?
  {
    if like != nil { return nil }
    var command: Command = "nftrace ping"
    for namespace in namespaces { command += " --netns \(namespace)" }
    for machine in machines { command += " --via \(machine)" }
    guard let entry else { return nil }
    command += entry
    if entrance != .local || hasChosenSource { command += " -s \(source)" }
    command += header
    if tcpFlags != .syn { command += " --tcp-flags \(tcpFlags)" }
    if count > 1 { command += " -c \(count)" }
    if let ioam, asksRouters {
      command += ioam == 0 ? " --ioam" : " --ioam --ioam-namespace \(ioam)"
    }
    for carrier in carriers { command += " --context \(carrier)" }
    if data != nil {
      guard let text, let word = try? Word.text(text) else { return nil }
      command += " --data \(word)"
      if text.utf8.count < size { command += " --size \(size)" }
    } else {
      command += length
    }
    return command + " \(destination)"
  }

  /// What is said of their protocol and its ports, TTL and type of service.
  private var header: Command {
    var command: Command = ""
    if proto != .icmp { command += " -p \(proto.kind.number(version))" }
    if let sourcePort { command += " --sport \(sourcePort)" }
    if let destinationPort { command += " --dport \(destinationPort)" }
    if ttl != 64 { command += " -t \(ttl)" }
    if tos != 0 { command += " --tos \(tos)" }
    return command
  }

  /// What is said of their length.
  private var length: Command {
    var command: Command = ""
    if size != usualSize, !carriers.contains(.tcpData) { command += " --size \(size)" }
    if dontFragment { command += " --df" }
    if discoversMTU == false { command += " --no-df" }
    return command
  }

  /// How they enter; nil where it is not known what to call that. A device that is made goes with the command, and the next one
  /// makes another.
  private var entry: Command? {
    switch entrance {
    case .local:
      var command: Command = " --local"
      if let boundDevice {
        guard let word = try? Word.ownDevice(boundDevice) else { return nil }
        command += " -I \(word)"
      }
      if let senderMark { command += " --mark \(senderMark)" }
      if let senderUser { command += " --user \(senderUser)" }
      return command
    case .arriving, .tun:
      guard let device, !device.hasPrefix(Self.madeDevices), let word = try? Word.ownDevice(device)
      else { return nil }
      return entrance == .tun ? " --tun \(word)" : " --in \(word)"
    }
  }

  /// The command line in words for people, of the session that `header` begins; nil where it is not known.
  package func commandLine(in header: SessionHeader) -> String? {
    // What is no word for a shell cannot be pasted into one.
    let here = header.others.filter { $0.via == nil && $0.called == nil }
    let namespaces = ([header] + here).compactMap(\.netns)
    let machines = header.others.compactMap(\.via)
    let words = namespaces.compactMap { try? Word.namespace($0) }
    let hosts = machines.compactMap { try? Word.machine($0) }
    guard words.count == namespaces.count, hosts.count == machines.count else { return nil }
    return command(
      in: words.map { "\($0)" }, via: hosts.map { "\($0)" }, count: count, asksRouters: true)?
      .text
  }

  /// The command line that searches for what lets such a probe through, in this network namespace; nil where it cannot be
  /// asked so.
  package func search(in namespace: String?) -> Command? {
    guard like == nil, data == nil, tcpFlags == .syn, boundDevice == nil else { return nil }
    var command: Command = "nftrace why-not"
    if let namespace {
      guard let word = try? Word.namespace(namespace) else { return nil }
      command += " --netns \(word)"
    }
    if entrance == .local {
      if hasChosenSource { command += " --local -s \(source)" }
      if let senderMark { command += " --mark \(senderMark)" }
      if let senderUser { command += " --user \(senderUser)" }
    } else {
      guard let device, !device.hasPrefix(Self.madeDevices), let word = try? Word.ownDevice(device)
      else { return nil }
      command += " --in \(word) -s \(source)"
    }
    return command + header + length + " \(destination)"
  }

  /// What searches in copies of this network namespace; nil where it cannot be asked so.
  package var searching: [String]? { search(in: nil).map(Self.words) }

  /// What sends one of these probes in a copy of the network namespace; nil where it cannot be sent again.
  package var rehearsal: [String]? {
    guard let like else { return command(in: []).map(Self.words) }
    guard let entry, like.count <= Self.mostOctets else { return nil }
    return Self.words("nftrace ping\(entry) --octets \(like)")
  }

  /// So many octets are no more than a word of a command line may have: MAX_ARG_STRLEN is 128 KiB.
  private static let mostOctets = 60_000

  /// These probes as one of them came in somewhere on its way; nil where it did not come in by an interface.
  func arriving(as journey: Journey) -> ProbePlan? {
    guard like == nil, let device = journey.hops.first?.inDevice else { return nil }
    var plan = self
    let packet = journey.packet
    (plan.entrance, plan.device) = (.arriving, device)
    (plan.source, plan.destination) = (packet.source, packet.destination)
    if sourcePort != nil { plan.sourcePort = packet.sourcePort }
    if destinationPort != nil { plan.destinationPort = packet.destinationPort }
    (plan.ttl, plan.tos) = (packet.ttl, packet.tos)
    return plan
  }

  /// The words behind the program's name, without the quotes that a shell would take off them: words have none within.
  private static func words(_ command: Command) -> [String] {
    var words = [""]
    var isQuoted = false
    for letter in command.text {
      switch letter {
      case "'": isQuoted.toggle()
      case " " where !isQuoted: words.append("")
      default: words[words.count - 1].append(letter)
      }
    }
    return Array(words.dropFirst())
  }

  /// What begins the names of TUN devices that nftrace makes.
  private static let madeDevices = "nftrace"
}
