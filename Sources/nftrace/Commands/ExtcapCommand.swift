import App
import ArgumentParser
import Kernel

struct ExtcapCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "extcap", _superCommandName: Nftrace.name,
    abstract: "Be a capture interface of Wireshark.",
    discussion: """
      Wireshark runs these: a link to nftrace in a directory for its extcap programs makes what this \
      namespace's setup reports a capture interface, from now on, whether it is recorded or not. \
      'nftrace record -' writes the same into a pipe.
      """)

  @Flag(help: "List the capture interfaces: there is one, nftrace.")
  var extcapInterfaces = false

  @Flag(help: "Say what packets of the interface are.")
  var extcapDlts = false

  @Flag(help: "Say what can be chosen: the network namespace, and whether to begin in the past.")
  var extcapConfig = false

  @Option(help: ArgumentHelp("Say anew what can be chosen for this.", valueName: "option"))
  var extcapReloadOption: String?

  @Flag(help: "Capture, until it is interrupted, or nobody reads from the FIFO any more.")
  var capture = false

  @Option(
    help: ArgumentHelp("What to write the session into.", valueName: "file"), completion: .file())
  var fifo: String?

  @Flag(help: "Begin with what is in the file of the setup's recorder.")
  var past = false

  @Option(help: ArgumentHelp("The interface that is meant: nftrace.", valueName: "name"))
  var extcapInterface: String?

  @Option(help: ArgumentHelp("Wireshark's version.", valueName: "version"))
  var extcapVersion: String?

  @Option(
    help: ArgumentHelp(
      "There are no capture filters: setup says what is watched.", valueName: "filter"))
  var extcapCaptureFilter: String?

  @OptionGroup var shared: SharedOptions

  mutating func validate() throws {
    if let extcapInterface, extcapInterface != Extcap.interface {
      throw ValidationError("--extcap-interface is \(Extcap.interface), not '\(extcapInterface)'")
    }
    if capture, fifo == nil { throw ValidationError("--capture needs a --fifo to write into") }
  }

  func run() throws {
    if capture, let fifo {
      // Where it goes no further, whoever reads from it is to see its end.
      let sink = try PatientOutput(fifo: fifo)
      if hasFilter { throw UsageError(Self.noFilter) }
      _ = try SessionPipe.write(to: sink, past: past, shared)
    } else if let answer {
      if !answer.isEmpty { try Output.show(answer.joined(separator: "\n")) }
    } else {
      throw UsageError(
        "extcap is run by Wireshark: a link to nftrace in its directory of extcap programs does it; "
          + "'nftrace help extcap' lists the options")
    }
  }

  /// The lines that answer what is asked; nil where that is nothing.
  private var answer: [String]? {
    if extcapInterfaces { return Extcap.interfaces }
    if extcapDlts { return Extcap.dlts }
    if extcapConfig { return Extcap.config(LiveSurveyor()) }
    if extcapReloadOption != nil { return Extcap.namespaces(LiveSurveyor()) }
    // Whether a filter is one: what is said is why not.
    return extcapCaptureFilter != nil ? hasFilter ? [Self.noFilter] : [] : nil
  }

  private var hasFilter: Bool { extcapCaptureFilter?.isEmpty == false }
  private static let noFilter =
    "nftrace has no capture filters: 'nftrace setup' says what is watched"
}
