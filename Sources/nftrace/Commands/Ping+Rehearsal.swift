import App
import Kernel
import Report
import Trace

// What if: the probe in a copy of the network namespace, in which commands have been run.
extension Ping {
  /// Makes the copy, runs the commands of `--with` in it, and sends the probes there. Returns the exit code.
  func rehearse(to: Destination) throws -> Int32 {
    let original = try shared.chosenNamespace()
    try original.enter()
    let copy = try HeldCopy()
    let space = ChosenNamespace(original.name, copy, path: original.path)
    try space.enter()
    for command in with {
      let (code, output) = try ChildProcess.shell(command)
      guard code == 0 else {
        throw UsageError(
          "--with '\(command)' failed in the copy with exit code \(code)"
            + (output.isEmpty ? "" : ":\n\(output)"))
      }
    }
    let rehearsal = Rehearsal(
      commands: with, differences: copy.differences.map(\.description))
    // A TUN device has the end of a pair in its place.
    var ping = self
    ping.arriving = tun ?? arriving
    ping.tun = nil
    return try withExtendedLifetime(copy) {
      try ping.send(to: to, in: [space], rehearsal: rehearsal).code
    }
  }
}
