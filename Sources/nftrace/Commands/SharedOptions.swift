import App
import ArgumentParser
import Kernel
import Report

/// Options that every command has.
struct SharedOptions: ParsableArguments {
  @Option(
    name: .customLong("netns"),
    help: ArgumentHelp(
      """
      Work in this network namespace: a name of 'ip netns', a path, the PID of a process in it, or what a \
      container (Docker, Podman, containerd, LXC, LXD, Incus, machinectl) or a pod is called. \
      ping, setup, teardown, status and show take several; that of the machine is 1.
      """,
      valueName: "name|path|pid|container|pod"), completion: .networkNamespaces)
  var namespaces: [String] = []

  @Flag(help: "Print one JSON object instead of text.")
  var json = false

  @Option(help: ArgumentHelp("Use colours: auto, always or never.", valueName: "when"))
  var color: ColorChoice = .auto

  @Flag(
    name: .shortAndLong,
    help: "Show every step, with its time, the connection of each packet, and the evidence.")
  var verbose = false

  @Flag(name: .shortAndLong, help: "Print one line: what came of it, and why.")
  var quiet = false

  /// How text is to look.
  var style: TextStyle {
    Output.style(color: color, verbosity: quiet ? .quiet : verbose ? .verbose : .normal)
  }

  /// All of these.
  var output: OutputOptions { OutputOptions(json: json, style: style, netns: netns) }

  /// Takes back what commands that were killed have left in the calling thread's namespace, and says
  /// so. What cannot be taken back is an error if the command is to change something (`isNeeded`).
  static func takeBackLeftovers(isNeeded: Bool = false) throws(KernelError) {
    do {
      try Leftovers.here()?.say(isNeeded: isNeeded)
    } catch {
      // Who needs the directory for something else finds the same, and says it then.
      if isNeeded { throw error }
    }
  }

  /// The namespace that was asked for, if it is one.
  var netns: String? { namespaces.count == 1 ? namespaces[0] : nil }

  /// Enters the namespace that was asked for; of a command that works in one.
  func enterNamespace() throws { try chosenNamespace().enter() }

  /// The namespace that was asked for, or the one there is; of a command that works in one.
  func chosenNamespace() throws -> ChosenNamespace {
    guard namespaces.count <= 1 else {
      throw UsageError(
        "--netns is given \(namespaces.count) times, and this command works in one network "
          + "namespace; ping, setup, teardown, status and show take several")
    }
    return try netns.map { try ChosenNamespace($0) } ?? ChosenNamespace()
  }

  /// The namespaces that were asked for, each once, in that order; at least the one there is.
  func chosenNamespaces() throws(KernelError) -> [ChosenNamespace] {
    if namespaces.isEmpty { return [ChosenNamespace()] }
    var chosen: [ChosenNamespace] = []
    for name in namespaces {
      let next = try ChosenNamespace(name)
      if !chosen.contains(where: { $0.isSame(as: next) }) { chosen.append(next) }
    }
    return chosen
  }
}
