import ArgumentParser
import Kernel
import Report
import Trace
import Wire

struct Show: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Render recorded packets as timelines.",
    discussion: """
      FILE is a session that nftrace wrote ('ping -w', 'record'), or a capture of \
      'tcpdump -i nflog:N -w'. Without it, the recording of this namespace's setup is shown, or \
      else the latest ping.
      """)

  @Argument(help: ArgumentHelp("A session or NFLOG capture.", valueName: "file"))
  var file: String?

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
  }

  func run() throws {
    try shared.enterNamespace()
    let paths = try file.map { [$0] } ?? StateDirectory.sessions()
    if let export {
      try Playback.export(paths, to: export)
      return
    }
    let filter = ExchangeFilter(
      from: from.flatMap { Prefix($0) }, to: to.flatMap { Prefix($0) }, proto: proto,
      packet: packet, onlyLost: lost)
    var style = shared.style
    style.allRules = rules
    let matches = try Playback.run(
      paths, SessionReport(
        filter: filter, style: style, json: shared.json, last: last, session: paths.last))
    if matches == 0 { Output.complain("no packet matches") }
    Output.exit(matches > 0 ? 0 : 1)
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
