import ArgumentParser
import Kernel
import Report

/// The value of an option that is one of a few words.
protocol Choice: ExpressibleByArgument, CaseIterable, RawRepresentable where RawValue == String {}

// What ArgumentParser would find out by reflection as well, each time a command is started.
extension Choice {
  init?(argument: String) { self.init(rawValue: argument) }
  var defaultValueDescription: String { rawValue }
  static var allValueStrings: [String] { allCases.map { $0.rawValue } }
  static var allValueDescriptions: [String: String] { [:] }
}

/// When to use colours.
enum ColorChoice: String, Choice {
  case auto, always, never
}

/// Options that every command has.
struct SharedOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Work in this network namespace: a name of 'ip netns', a path, or the PID of a process in it.",
      valueName: "name|path|pid"))
  var netns: String?

  @Flag(help: "Print one JSON object instead of text.")
  var json = false

  @Option(help: ArgumentHelp("Use colours: auto, always or never.", valueName: "when"))
  var color: ColorChoice = .auto

  @Flag(name: .shortAndLong, help: "Show every step, with its time, and the evidence.")
  var verbose = false

  @Flag(name: .shortAndLong, help: "Print the first line alone.")
  var quiet = false

  /// How text is to look.
  var style: TextStyle {
    Output.style(color: color, verbosity: quiet ? .quiet : verbose ? .verbose : .normal)
  }

  /// Enters the namespace that was asked for.
  func enterNamespace() throws(KernelError) {
    if let netns { try NetworkNamespace(netns).enter() }
  }
}
