import App
import ArgumentParser
import Kernel
import Report
import Trace
import Wire

struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    _superCommandName: Nftrace.name,
    abstract: "Ask a firewall what it lets through, and compare it with what is expected.",
    discussion: """
        nftrace check tests.yaml                     this host's rules
        nftrace check --ruleset new.nft tests.yaml   these instead
        nftrace check --ruleset new.nft --topology net.yaml tests.yaml
                                                     no host, no root: for CI

      Each test is a real packet in a copy of the network namespace, and the kernel decides: nothing of the \
      original is touched, no packet leaves. What is not as expected is told as 'nftrace ping' tells it.

        tests:
          - name: LAN reaches the web
            from: lan0 192.168.1.10     # an interface and a source; or local
            to: 203.0.113.9 tcp/443     # also [tcp/80, tcp/443, udp/53]
            expect: accept              # drop, reject, delivered
            source: 198.51.100.2        # dest, out, mark, by, cause, reply

      Exits with 0 if all is as expected, 1 if not, 2 if a file is wrong, 3 where the kernel or the rights \
      do not allow it.
      """)

  @Argument(help: ArgumentHelp("Files of tests.", valueName: "file"), completion: .file())
  var files: [String]

  @Option(
    parsing: .singleValue,
    help: ArgumentHelp(
      "The rules to ask, in the place of those that are there: what nft -f or iptables-restore takes. Several are "
        + "loaded in their order.", valueName: "file"), completion: .file())
  var ruleset: [String] = []

  @Option(
    help: ArgumentHelp(
      "Interfaces and routes, in the place of this host's.", valueName: "file"), completion: .file()
  )
  var topology: String?

  @Flag(
    help: "Ask the network namespace itself, with packets that are discarded before they leave.")
  var live = false

  @Option(
    help: ArgumentHelp("Write JUnit's XML to this file as well.", valueName: "file"),
    completion: .file())
  var junit: String?

  @Flag(help: "Print the Test Anything Protocol instead of text.")
  var tap = false

  @Flag(help: "Print annotations for GitHub as well, at the rules that decided.")
  var github = false

  @Option(
    help: ArgumentHelp(
      "Say which rules no test has met; with =N%, fewer than that are an error.", valueName: "min%"),
    transform: Self.percent)
  var coverage: Int?

  @Option(help: ArgumentHelp("Only tests whose names are so: * is anything.", valueName: "glob"))
  var filter: String?

  @OptionGroup var shared: SharedOptions

  mutating func validate() throws {
    if live, topology != nil || !ruleset.isEmpty {
      throw ValidationError(
        "--live asks the network namespace as it is: --ruleset and --topology are for copies")
    }
    if tap, shared.json { throw ValidationError("--tap and --json exclude each other") }
    if topology != nil, !shared.namespaces.isEmpty {
      throw ValidationError("--topology is in the place of a network namespace: leave --netns out")
    }
  }

  private static func percent(_ text: String) throws -> Int {
    let number = Int(text.hasSuffix("%") ? String(text.dropLast()) : text)
    guard let number, (0...100).contains(number) else {
      throw ValidationError("it is a share of the rules, 0 to 100%, such as 80%")
    }
    return number
  }

  func run() throws {
    let started = Clock.monotonic
    let rulesets = try ruleset.map { try CheckFiles.ruleset($0) }
    let given = try topology.map { try CheckFiles.topology($0) }
    var chosen: [(path: String, file: TestFile)] = []
    for path in files {
      var file = try CheckFiles.tests(path)
      if let filter {
        let glob = Glob(filter)
        file.tests.removeAll { !$0.names.contains(where: glob.matches) }
      }
      file.topology = given ?? file.topology
      chosen.append((path, file))
    }
    guard chosen.contains(where: { !$0.file.tests.isEmpty }) else {
      throw UsageError(
        filter.map { "no test's name is like '\($0)'" }
          ?? "there are no tests in \(files.joined(separator: ", "))")
    }
    if chosen.count > 1, chosen.contains(where: { $0.file.topology == nil }) {
      try CheckPlace.needsRoot("copy this network namespace for several files")
    }
    var report: CheckReport?
    var interrupted: Int32?
    for (path, file) in chosen where !file.tests.isEmpty {
      let place = try CheckPlace(file.topology, rulesets, shared, isLive: live)
      if report == nil {
        report = CheckReport(
          place: place.description, differences: place.differences,
          coverage: place.ruleset)
        report!.leastCoverage = coverage
      }
      let asker = try TestAsker(place)
      let results = try asker.ask(file.tests) { [isWhole = shared.json] result in
        result.isPassed ? isWhole ? .cause : .nothing : .remedy
      }
      for result in results { if let probe = result.probe { report!.coverage.take(probe.result) } }
      report!.files.append((path, results))
      try place.leave()
      interrupted = asker.interrupted
      if interrupted != nil { break }
    }
    report!.seconds = Double(Clock.monotonic - started) / 1e9
    try tell(report!)
    if interrupted != nil { Output.complain("interrupted: that is not all") }
    Output.exit(interrupted ?? report!.exitCode)
  }

  private func tell(_ report: CheckReport) throws {
    if let junit {
      let file = try OutputFile(junit, isForAll: true)
      try file.write(Array((CheckFormats.junit(report) + "\n").utf8))
    }
    if shared.json {
      try Output.print(CheckFormats.json(report))
    } else if tap {
      try Output.show(CheckFormats.tap(report))
    } else {
      let style = shared.style
      try Output.show(style.written(CheckText(report, style).lines).joined(separator: "\n"))
    }
    if github {
      for line in CheckFormats.github(report) { try Output.show(line) }
    }
  }
}
