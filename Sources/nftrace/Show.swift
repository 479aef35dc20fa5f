import ArgumentParser
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
      'tcpdump -i nflog:N -w'. Without it, the recording of this namespace's setup is shown, or \
      else the latest ping.

      With several --netns, the recordings of their setups are told as one sequence, and a packet \
      that goes from one of these namespaces into another is told as one walk.

      With --follow, packets are shown as they are recorded, until it is interrupted: those of this \
      namespace's setup from now on, whether it is recorded or not, or those of FILE from its \
      beginning. With --json, that is one object a packet and line. A terminal shows at most 20 \
      exchanges a second in full, and counts the others by flow.
      """)

  @Argument(help: ArgumentHelp("A session or NFLOG capture.", valueName: "file"))
  var file: String?

  @Flag(help: "Go on with what is recorded from now on.")
  var follow = false

  @Option(help: ArgumentHelp("Only the last so many packets.", valueName: "n"))
  var last: Int?

  @Option(help: ArgumentHelp("Only the packet with this number.", valueName: "id"))
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
    if let last, last < 1 { throw ValidationError("--last is 1 or more") }
    if let packet, packet < 1 { throw ValidationError("--packet is 1 or more") }
    if shared.namespaces.count > 1,
      let option = file.map({ _ in "FILE" }) ?? export.map({ _ in "--export" })
    {
      throw ValidationError("several --netns and \(option) exclude each other")
    }
    if follow, last != nil { throw ValidationError("--follow has no last packet: not with --last") }
    if follow, export != nil { throw ValidationError("--follow and --export exclude each other") }
    if follow, html != nil { throw ValidationError("--follow and --html exclude each other") }
    if shared.json, html != nil { throw ValidationError("--json and --html exclude each other") }
    if export != nil, html != nil {
      throw ValidationError("--export and --html exclude each other")
    }
  }

  func run() throws {
    let spaces = try shared.chosenNamespaces()
    if follow { try followTraffic(spaces) }
    let recordings = try spaces.map { space in
      try space.within(among: spaces) {
        try file.map { [$0] } ?? StateDirectory.sessions(orPing: spaces.count == 1)
      }
    }
    let paths = recordings.flatMap { $0 }
    if let target = export ?? html {
      // Opening it would empty it before it is read.
      let isInput = paths.contains { path in
        guard let input = FileIdentity(path), let output = FileIdentity(target) else {
          return false
        }
        return input.isSame(as: output)
      }
      if isInput { throw UsageError("\(target) is what is read: write to another file") }
    }
    if let export {
      try Playback.export(paths, to: export)
      return
    }
    let report = SessionReport(
      filter: filter, style: style,
      format: html != nil ? .html : shared.json ? .json : .text, last: last,
      session: spaces.count == 1 ? paths.last : nil, namespaces: spaces.names)
    let matches: Int
    if let html {
      let page = try OutputFile(html, followLinks: true)
      matches = try Playback.run(recordings, report) { try page.write(Array($0.utf8)) }
    } else {
      matches = try Playback.run(recordings, report)
    }
    if matches == 0 { Output.complain("no packet matches") }
    Output.exit(matches > 0 ? 0 : 1)
  }

  private var filter: ExchangeFilter {
    ExchangeFilter(
      from: from.flatMap { Prefix($0) }, to: to.flatMap { Prefix($0) }, proto: proto,
      packet: packet, onlyLost: lost)
  }

  private var style: TextStyle {
    var style = shared.style
    style.allRules = rules
    return style
  }

  private func followTraffic(_ spaces: [ChosenNamespace]) throws -> Never {
    let report = FollowReport(
      filter: filter, style: style, json: shared.json,
      rate: Terminal.isInteractive ? FollowReport.terminalRate : nil,
      since: file == nil ? Clock.realtime : 0, namespaces: spaces.names)
    var follow = Follow(report, json: shared.json, names: spaces.names)
    let signal = try follow.run {
      try spaces.map { space in
        try space.within(among: spaces) {
          try file.map { try FollowedSource(file: $0) } ?? FollowedSource(setupIn: space)
        }
      }
    }
    Output.exit(signal.map { 128 + $0 } ?? 0)
  }
}

extension StateDirectory {
  /// The files of the recording of this namespace's setup, or of the latest ping.
  static func sessions(orPing: Bool = true) throws -> [String] {
    if let recording = recording() { return recording }
    guard orPing else {
      throw UsageError("nothing is recorded there: 'nftrace setup SUBNET' records")
    }
    guard InputFile.exists(lastSession) else {
      throw UsageError(
        "nothing is recorded yet: 'nftrace ping' and 'nftrace setup' record, or name a FILE")
    }
    return [lastSession]
  }
}
