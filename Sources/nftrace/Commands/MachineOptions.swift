import App
import ArgumentParser
import Kernel
import Report
import Trace

/// Other machines on which probes are watched, and the trace that all of it is part of.
struct MachineOptions: ParsableArguments {
  @Option(
    name: .customLong("via"), parsing: .singleValue,
    help: ArgumentHelp(
      "Watch the probe on this machine as well, by ssh: HOST or USER@HOST, as ssh(1) takes it; several. Or on those of an "
        + "inventory of Ansible's: @FILE, or @FILE:GROUP. nftrace must be there, and root or sudo without a password. "
        + "Nothing is left there.",
      valueName: "host|@file:group"))
  var via: [String] = []

  @Option(
    name: .customLong("traceparent"),
    help: ArgumentHelp(
      "The trace that the probe is part of, as W3C writes it: 00-TRACE-SPAN-01 in hexadecimal digits. Default: TRACEPARENT "
        + "in the environment, or a trace of its own.", valueName: "context"))
  var traceParent: String?

  @Option(
    parsing: .singleValue,
    help: ArgumentHelp(
      "What carries the trace beside the payload, for what reads it there; several: tcp-data or tcp-option in a SYN, hubble "
        + "or beyla (IPv4's option 136), flow-label in IPv6. Inside a site: routers of the Internet drop IPv4's options.",
      valueName: "carrier"), completion: .list(ContextCarrier.allCases.map(\.rawValue)))
  var context: [String] = []

  /// The same, checked.
  var carriers: [ContextCarrier] { context.compactMap { ContextCarrier(rawValue: $0) } }

  @Flag(
    help: ArgumentHelp(
      "With IPv6, have routers on the way that do not run nftrace write into the probe who they are, by which interfaces it "
        + "came and went, and when: those where in-situ OAM (IOAM) is switched on, as 'nftrace status' says."
    ))
  var ioam = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "With --ioam, the namespace of IOAM that the routers know. Default: 0, the standard's.",
      valueName: "n"))
  var ioamNamespace: Int?

  @Flag(help: "With --via, copy nftrace to the machines, for as long as this command lasts.")
  var bring = false

  mutating func validate() throws {
    via = try via.flatMap { try machines(in: $0) }
    for machine in via where !RemoteMachine.canBeNamed(machine) {
      throw ValidationError(
        "--via '\(machine)' is no HOST or USER@HOST, as ssh takes it, such as root@r1")
    }
    if let twice = via.enumerated().first(where: { via[..<$0.offset].contains($0.element) }) {
      throw ValidationError("--via \(twice.element) is given twice")
    }
    for (place, word) in context.enumerated() {
      let names = ContextCarrier.allCases.map(\.rawValue)
      guard names.contains(word) else {
        let nearest = NearestWord.to(word, among: names).map { "; did you mean '\($0)'?" } ?? ""
        throw ValidationError(
          "--context '\(word)' is none of \(names.joined(separator: ", "))\(nearest)")
      }
      if context[..<place].contains(word) {
        throw ValidationError("--context \(word) is given twice")
      }
    }
    if let ioamNamespace {
      guard ioam else { throw ValidationError("--ioam-namespace goes with --ioam") }
      guard (0...65535).contains(ioamNamespace) else {
        throw ValidationError("--ioam-namespace is 0 to 65535, not \(ioamNamespace)")
      }
    }
    if bring, via.isEmpty { throw ValidationError("--bring goes with --via") }
    if let traceParent, TraceContext(traceParent: traceParent) == nil {
      throw ValidationError(
        "--traceparent '\(traceParent)' is no trace context, such as "
          + "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    }
    if let traceParent { CommandTrace.take(traceParent) }
  }

  /// Hosts of inventories that cannot be connected to, for what they are called.
  private var leftOut: [String] = []

  /// The machines of an inventory, or the one that was named.
  private mutating func machines(in word: String) throws -> [String] {
    guard word.hasPrefix("@") else { return [word] }
    let parts = word.dropFirst().split(
      separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let group = parts.count > 1 ? String(parts[1]) : "all"
    do {
      let inventory = try CheckFiles.inventory(String(parts[0]))
      if let machines = inventory.machines(in: group) {
        if machines.isEmpty {
          throw ValidationError("--via: the group '\(group)' of \(parts[0]) has no hosts")
        }
        // One that has an odd name does not keep the others from being asked.
        let odd = machines.filter { !RemoteMachine.canBeNamed($0) }
        leftOut += odd
        if odd.count < machines.count { return machines.filter(RemoteMachine.canBeNamed) }
        throw ValidationError(
          "--via: no host of \(parts[0]) has a name that ssh takes, such as root@r1: "
            + odd.prefix(4).map { "'\($0)'" }.joined(separator: ", "))
      }
      let nearest = NearestWord.to(group, among: inventory.names)
      let known =
        inventory.names.isEmpty ? "" : ": it has \(inventory.names.joined(separator: ", "))"
      throw ValidationError(
        "--via: \(parts[0]) has no host in a group '\(group)'"
          + (nearest.map { "; did you mean '\($0)'?" } ?? known))
    } catch let error as UsageError {
      throw ValidationError("--via: \(error.message)")
    } catch let error as KernelError {
      throw ValidationError("--via: \(error)")
    }
  }

  /// Connects to the machines that were named, all at once.
  func connect() throws -> [RemoteMachine] {
    for name in leftOut {
      Output.complain(
        "'\(Escape.text(name))' of the inventory is left out: it is no HOST or USER@HOST, as ssh takes it"
      )
    }
    let commands = try via.map { machine in
      bring ? try Self.bring(to: machine) : Self.watching
    }
    return try zip(via, commands).map { machine, command in
      RemoteMachine(machine, by: try SecureShell(to: machine, running: command))
    }
  }

  /// What starts nftrace there, whatever shell it has.
  private static let watching = starting("nftrace watch")

  private static func starting(_ command: String) -> String {
    "sh -c 'PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; if [ \"$(id -u)\" = 0 ]; then exec \(command); "
      + "else exec sudo -n \(command); fi'"
  }

  /// Copies this program to a machine. It removes the copy itself as soon as it runs.
  private static func bring(to machine: String) throws -> String {
    let made = try ChildProcess.shell(
      "ssh -T -o BatchMode=yes -o ConnectTimeout=10 -- \(machine) 'umask 077; d=$(mktemp -d) && cat >\"$d/nftrace\" "
        + "&& chmod 700 \"$d/nftrace\" && echo \"$d\"' </proc/$PPID/exe")
    let path = made.output.split { $0.isNewline }.last.map(String.init) ?? ""
    guard made.code == 0, path.hasPrefix("/"), RemoteMachine.isPlainPath(path) else {
      throw UsageError("--bring: nftrace cannot be copied to \(machine): \(path)")
    }
    return starting("\(path)/nftrace watch --brought \(path)")
  }
}
