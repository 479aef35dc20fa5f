internal import Kernel
package import Report
package import Trace
internal import Wire

/// Shows what the rules of `setup --backend log` wrote into the kernel log.
package enum KernelLogPlayback {
  /// Renders a saved log, "-" for standard input, in pieces. Returns how many exchanges matched.
  package static func run(
    file path: String, _ report: consuming SessionReport, _ host: any ShowHost,
    output: (String) throws -> Void
  ) throws -> Int {
    let file = try InputFile(path)
    try host.rights.keep([])
    let name = path == "-" ? "standard input" : path
    var isFirst = true
    return try run(KernelLogDecoder(version: Version.number), name, report, nil, output) {
      let bytes = try file.read()
      if isFirst, let kind = captureKind(bytes) {
        throw UsageError(
          "\(name) is a \(kind) file and no text of a kernel log: without --backend log it is shown"
        )
      }
      isFirst = false
      return bytes
    } nothing: {
      "\(name) has no line of a setup's rules: 'nftrace setup --backend log' makes them, with "
        + "prefixes such as 'raw-PREROUTING: '"
    }
  }

  /// Renders what the running kernel's log has of this namespace's setup.
  package static func run(
    _ setup: SetupState, _ report: consuming SessionReport, _ host: any ShowHost,
    output: (String) throws -> Void
  ) throws -> Int {
    let log = try host.kernelLog(fromNow: false)
    try host.rights.keep([])
    return try run(decoder(setup, host), KernelLog.path, report, host, output) {
      try log.read()
    } nothing: {
      "the kernel log has no line of the setup here, or none any more" + hint(host)
    }
  }

  /// The setup here that writes to the kernel log; throws if there is none.
  package static func setup(_ setupFiles: SetupFiles) throws -> SetupState {
    guard let setup = try setupFiles.load() else {
      throw UsageError(
        "nothing is set up in this network namespace: 'nftrace setup --backend log SUBNET' first, "
          + "or name a FILE with what dmesg or journalctl -k printed")
    }
    guard setup.group == nil else {
      throw UsageError(
        "the setup here reports to NFLOG, not to the kernel log: 'nftrace show' without "
          + "--backend log shows it")
    }
    return setup
  }

  /// A reader of the running kernel's log that takes the lines of this setup alone.
  static func decoder(_ setup: SetupState, _ host: any ShowHost) -> KernelLogDecoder {
    let header = SessionHeader(
      command: "show", version: Version.number, kernel: host.release,
      points: setup.points, table: SetupTables.name, targets: setup.subnets)
    let now = host.realtime
    // The log's clock goes a little differently from others.
    let since = setup.since.multiplied(clamped: second)
    return KernelLogDecoder(
      setup: header, since: since.earlier(by: 5 * second), offset: now.since(host.monotonic),
      namespace: setup.logNamespace)
  }

  private static let second: UInt64 = 1_000_000_000

  /// The setting is there in the first namespace alone.
  private static func hint(_ host: any ShowHost) -> String {
    if host.exists(Sysctl(path: "net/netfilter/nf_log_all_netns")!) { return "" }
    return ": from a namespace other than the machine's first it gets lines only where that has "
      + "net.netfilter.nf_log_all_netns=1"
  }

  /// `running` is the host whose log it is, of what runs.
  private static func run(
    _ decoder: consuming KernelLogDecoder, _ name: String, _ report: consuming SessionReport,
    _ running: (any ShowHost)?, _ output: (String) throws -> Void, read: () throws -> [UInt8],
    nothing: () -> String
  ) throws -> Int {
    var (decoder, report) = (decoder, report)
    func put(_ lines: [String]) throws {
      try TextPieces.put(lines, output)
    }
    func drain() throws {
      while let element = decoder.next() { try put(report.take(element)) }
    }
    while true {
      let bytes = try read()
      if bytes.isEmpty { break }
      decoder.feed(bytes)
      try drain()
    }
    decoder.finish()
    try drain()
    // The running kernel's log has all there was up to now.
    if let running { try put(report.pass(to: running.realtime)) }
    try put(report.finish())
    if decoder.lines == 0 {
      Output.complain(StyledLine(nothing()))
    } else {
      sayDamage(decoder, name)
      if report.matches == 0 { Output.complain("no packet matches") }
    }
    return report.matches
  }

  /// What could not be read, and where; and that times are coarse.
  static func sayDamage(_ decoder: KernelLogDecoder, _ name: String) {
    if decoder.damaged > 0 {
      let places = decoder.damage.map { "line \($0.line): \($0.reason)" }
      let more = decoder.damaged > places.count ? "; and more" : ""
      Output.complain(
        "\(name): \(decoder.damaged) of \(decoder.lines) lines of nftrace's rules are damaged and "
          + "left out: \(places.joined(separator: "; "))\(more)")
    }
    if decoder.isCoarse {
      Output.complain(
        "\(name) tells times in whole seconds: how long a packet was on its way is not known")
    }
  }

  private static func captureKind(_ bytes: [UInt8]) -> String? {
    guard bytes.count >= 4 else { return nil }
    if bytes.starts(with: [0x0a, 0x0d, 0x0d, 0x0a]) { return "pcapng" }
    let magics: [[UInt8]] = [[0xd4, 0xc3, 0xb2, 0xa1], [0xa1, 0xb2, 0xc3, 0xd4]]
    return magics.contains { bytes.starts(with: $0) } ? "pcap" : nil
  }
}
