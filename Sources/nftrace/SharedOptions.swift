import ArgumentParser
import Kernel
import Report

/// When to use colours.
enum ColorChoice: String, ExpressibleByArgument, CaseIterable {
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
