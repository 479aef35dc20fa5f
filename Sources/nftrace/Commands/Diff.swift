import App
import ArgumentParser
import Kernel
import Report
import Trace

struct Diff: ParsableCommand {
  static let configuration = CommandConfiguration(
    _superCommandName: Nftrace.name,
    abstract: "Say which questions two rulesets answer in two ways.",
    discussion: """
        nftrace diff old.nft new.nft tests.yaml   what tests ask
        nftrace diff - new.nft --recorded NAME    the flows of a recording
        nftrace diff - new.nft --guess            the edges of what rules say

      A ruleset is what nft -f or iptables-restore takes; - is that of this network namespace. Both are asked \
      the same, each in a copy of the network namespace or in what --topology describes: which verdict, \
      translation, way out or deciding rule is another one, and by which rule of each.

      Exits with 0 if both answer alike, 1 if not, 2 if a file is wrong, 3 where the kernel or the rights do \
      not allow it.
      """)

  @Argument(help: ArgumentHelp("The ruleset as it is.", valueName: "old"), completion: .file())
  var old: String

  @Argument(
    help: ArgumentHelp("The ruleset as it would be.", valueName: "new"), completion: .file())
  var new: String

  @Argument(
    help: ArgumentHelp("Files of tests, whose questions are asked.", valueName: "file"),
    completion: .file())
  var files: [String] = []

  @Option(
    help: ArgumentHelp(
      "Ask once for each flow of this session, a file or a recording's name.", valueName: "session"),
    completion: .sessions)
  var recorded: String?

  @Flag(help: "Ask what the rules themselves speak of: the edges of their addresses and ports.")
  var guess = false

  @Option(
    help: ArgumentHelp(
      "Interfaces and routes, in the place of this host's.", valueName: "file"), completion: .file()
  )
  var topology: String?

  @Option(
    help: ArgumentHelp("Only questions whose names are so: * is anything.", valueName: "glob"))
  var filter: String?

  @OptionGroup var shared: SharedOptions

  mutating func validate() throws {
    let sources = [!files.isEmpty, recorded != nil, guess].count { $0 }
    guard sources == 1 else {
      throw ValidationError(
        sources == 0
          ? "there is nothing to ask: name a file of tests, --recorded SESSION, or --guess"
          : "files of tests, --recorded and --guess exclude each other")
    }
    if old == "-", new == "-" { throw ValidationError("- and - are one ruleset: name another one") }
    if topology != nil {
      if old == "-" || new == "-" {
        throw ValidationError("- is the ruleset of a host, and --topology is in its place")
      }
      if !shared.namespaces.isEmpty {
        throw ValidationError(
          "--topology is in the place of a network namespace: leave --netns out")
      }
    }
  }

  func run() throws {
    let rulesets = try [old, new].map { $0 == "-" ? [] : [try CheckFiles.ruleset($0)] }
    var topology = try topology.map { try CheckFiles.topology($0) }
    var questions: [FirewallTest] = []
    for path in files {
      let file = try CheckFiles.tests(path)
      topology = topology ?? file.topology
      questions += file.tests
    }
    if topology != nil, old == "-" || new == "-" {
      throw UsageError(
        "- is the ruleset of a host, and \(files.joined(separator: ", ")) has a topology in its place: name two rulesets"
      )
    }
    if topology == nil {
      try CheckPlace.needsRoot("compare rulesets in copies of this network namespace")
    }
    if let recorded { questions = try RecordedQuestions.read(recorded) }
    var answers: [[CheckResult]] = []
    var places: [(ruleset: RulesetCoverage, differences: [String], description: String)] = []
    if guess {
      for ruleset in rulesets {
        let place = try CheckPlace(topology, ruleset, shared, isLive: false)
        let known = Set(questions.map(\.name))
        questions += try PlaceSurroundings(ruleset: place.ruleset).guesses().filter {
          !known.contains($0.name)
        }
        try place.leave()
      }
    }
    if let filter {
      let glob = Glob(filter)
      questions.removeAll { !glob.matches($0.name) }
    }
    guard !questions.isEmpty else { throw UsageError("there is nothing to ask") }
    for ruleset in rulesets {
      let place = try CheckPlace(topology, ruleset, shared, isLive: false)
      let asker = try TestAsker(place)
      answers.append(try asker.ask(questions) { $0.fate?.isExplained == true ? .nothing : .cause })
      try asker.exitIfInterrupted()
      places.append((place.ruleset, place.differences, place.whereabouts))
      try place.leave()
    }
    let report = DiffReport(
      (
        old == "-" ? "the rules that are there" : old, new == "-" ? "the rules that are there" : new
      ),
      in: places[0].description, differences: Array(Set(places.flatMap(\.differences))).sorted(),
      noun: recorded == nil ? "question" : "flow",
      rulesets: (places[0].ruleset, places[1].ruleset), answers: (answers[0], answers[1]))
    if shared.json {
      try Output.print(report.json)
    } else {
      let style = shared.style
      try Output.show(style.written(report.lines(style)).joined(separator: "\n"))
    }
    Output.exit(report.exitCode)
  }
}
