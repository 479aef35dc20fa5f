import App
import Kernel
import Report
import Trace
import Wire

// What if: the probe in a copy of the network namespace, in which commands have been run.
extension Ping {
  /// Makes the copy, runs the commands of `--with` in it, and sends the probes there. Returns the exit code.
  func rehearse(to: Destination, export: OTLPExport?) throws -> Int32 {
    let original = try shared.chosenNamespace()
    try original.enter()
    // Nobody is asked for where nothing is to be touched: who is not known is behind every port, which is said.
    let copy = try HeldCopy()
    let space = ChosenNamespace(original.name, copy, path: original.path)
    try space.enter()
    for command in with {
      let (code, output) = try NamespaceCopy.run(command)
      guard code == 0 else {
        throw UsageError(
          "--with '\(command)' failed in the copy with exit code \(code)"
            + (output.isEmpty ? "" : ":\n\(output)"))
      }
    }
    let rehearsal = copy.rehearsal(of: with)
    return try withExtendedLifetime(copy) {
      try inACopy.send(to: to, in: [space], copy: copy, rehearsal: rehearsal, export: export).code
    }
  }

  /// The same probes in a copy, where the end of a pair is in the place of a TUN device.
  private var inACopy: Ping {
    var ping = self
    ping.arriving = tun ?? arriving
    ping.tun = nil
    return ping
  }
}

// Proven remedies: the probe in a copy, then what helps, then the probe again.
extension Ping {
  /// Remedies that are tried, at most; those that it takes together; and nanoseconds for all of it, less than the
  /// deputy waits.
  private static let mostTried = 16
  private static let mostTogether = 4
  private static let patience: UInt64 = 8_000_000_000

  /// Sends the probe in copies of the network namespace until it gets through, running what helps in between, and
  /// prints what came of it as `RemedyTrial` in JSON; nothing where the copy does not lose the probe, or what helps leads to something
  /// that nothing helps against.
  func prove(to: Destination) throws {
    ChildProcess.endWithParent()
    var ping = inACopy
    ping.noRehearsal = true
    ping.timeout = min(timeout, 0.5)
    let place = try RemedyPlace(ping, to)
    guard let first = try place.send([]), !first.isThrough, let cause = first.cause else { return }
    let end = Clock.realtime + Self.patience
    var trials = ChangeTrials<RemedyPlace.Trial>(
      mostTried: Self.mostTried, mostTogether: Self.mostTogether)
    let steps = trials.run(from: first, until: { Clock.realtime > end }) { changes in
      // One that cannot be tried says nothing of the others.
      try? place.send(changes)
    }
    guard let steps, let remedy = steps.first?.change.command else {
      // What is not known to be the cause may be what stops it in the copy alone.
      guard trials.isVain, cause.confidence == .certain, let vain = cause.remedies.first else {
        return
      }
      return try Output.show(
        RemedyTrial(remedy: vain.text, isVain: true, differences: place.differences).json)
    }
    let causes = [cause] + steps.compactMap(\.trial.cause)
    let obstacles = zip(causes, steps).dropFirst().map { cause, step in
      RemedyTrial.Obstacle(
        id: cause.id.rawValue, summary: cause.summary, remedy: step.change.command)
    }
    let isRefused = steps.last?.trial.isRefused == true
    try Output.show(
      RemedyTrial(
        remedy: remedy, obstacles: obstacles, isRefused: isRefused, differences: place.differences
      ).json)
  }
}
