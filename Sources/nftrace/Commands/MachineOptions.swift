import App
import ArgumentParser
import Kernel
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

  @Flag(help: "With --via, copy nftrace to the machines, for as long as this command lasts.")
  var bring = false

  mutating func validate() throws {
    via = try via.flatMap { try Self.machines(in: $0) }
    for machine in via where !RemoteMachine.canBeNamed(machine) {
      throw ValidationError(
        "--via '\(machine)' is no HOST or USER@HOST, as ssh takes it, such as root@r1")
    }
    if let twice = via.enumerated().first(where: { via[..<$0.offset].contains($0.element) }) {
      throw ValidationError("--via \(twice.element) is given twice")
    }
    if bring, via.isEmpty { throw ValidationError("--bring goes with --via") }
    if let traceParent, TraceContext(traceParent: traceParent) == nil {
      throw ValidationError(
        "--traceparent '\(traceParent)' is no trace context, such as "
          + "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    }
    if let traceParent { CommandTrace.take(traceParent) }
  }

  /// The machines of an inventory, or the one that was named.
  private static func machines(in word: String) throws -> [String] {
    guard word.hasPrefix("@") else { return [word] }
    let parts = word.dropFirst().split(
      separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let group = parts.count > 1 ? String(parts[1]) : "all"
    do {
      let inventory = try CheckFiles.inventory(String(parts[0]))
      if let machines = inventory.machines(in: group), !machines.isEmpty { return machines }
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
