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
    if follow, last != nil { throw ValidationError("--follow has no last packet: not with --last") }
    if follow, export != nil { throw ValidationError("--follow and --export exclude each other") }
    if follow, html != nil { throw ValidationError("--follow and --html exclude each other") }
    if shared.json, html != nil { throw ValidationError("--json and --html exclude each other") }
    if export != nil, html != nil {
      throw ValidationError("--export and --html exclude each other")
    }
  }

  func run() throws {
    try shared.enterNamespace()
    if follow {
      try followTraffic()
      return
    }
    let paths = try file.map { [$0] } ?? StateDirectory.sessions()
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
      format: html != nil ? .html : shared.json ? .json : .text, last: last, session: paths.last)
    let matches: Int
    if let html {
      let page = try OutputFile(html, followLinks: true)
      matches = try Playback.run(paths, report) { try page.write(Array($0.utf8)) }
    } else {
      matches = try Playback.run(paths, report)
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

  private func followTraffic() throws {
    let report = FollowReport(
      filter: filter, style: style, json: shared.json,
      rate: Terminal.isInteractive ? FollowReport.terminalRate : nil,
      since: file == nil ? Clock.realtime : 0)
    var follow = Follow(report, json: shared.json)
    if let file {
      try Self.end(follow.run(file: file) { false })
    }
    let place = try SetupPlace.current()
    guard let setup = place.load() else {
      throw UsageError(
        "nothing is set up in this network namespace: 'nftrace setup SUBNET' first, or name a FILE")
    }
    guard setup.group != nil else {
      throw UsageError(
        "the setup here writes to the kernel log, where dmesg finds it: there is nothing to follow")
    }
    let isOver = { place.load() == nil }
    if let recorder = place.recorder(), recorder.living != nil {
      try Self.end(follow.run(file: recorder.session, isOver: isOver))
    }
    try Self.end(follow.run(setup: setup, isOver: isOver))
  }

  private static func end(_ signal: Int32?) throws -> Never {
    Output.exit(signal.map { 128 + $0 } ?? 0)
  }
}

extension StateDirectory {
  /// The files of the recording of this namespace's setup, or of the latest ping.
  static func sessions() throws -> [String] {
    if let recording = recording() { return recording }
    guard InputFile.exists(lastSession) else {
      throw UsageError(
        "nothing is recorded yet: 'nftrace ping' and 'nftrace setup' record, or name a FILE")
    }
    return [lastSession]
  }
}
