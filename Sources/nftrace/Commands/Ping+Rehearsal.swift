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
    let rehearsal = copy.rehearsal(of: with)
    return try withExtendedLifetime(copy) {
      try inACopy.send(to: to, in: [space], rehearsal: rehearsal).code
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
  /// Remedies that are run one after the other, at most.
  private static let mostRemedies = 4

  /// Sends the probe in a copy of the network namespace until it gets through, running what helps in between, and
  /// prints what came of it as `RemedyTrial` in JSON; nothing where the copy does not lose the probe.
  func prove(to: Destination) throws {
    ChildProcess.endWithParent()
    var ping = inACopy
    ping.timeout = min(timeout, 0.5)
    let copy = try HeldCopy()
    let space = ChosenNamespace(nil, copy)
    try space.enter()
    var trial: RemedyTrial?
    var isThrough = false
    for _ in 0...Self.mostRemedies {
      // What a connection was translated to before is not what a rule says now.
      try Connections.flush()
      let sent = try ping.send(
        to: to, in: [space], isAll: false, rehearsal: copy.rehearsal(), prints: false)
      guard sent.code != 0 else {
        isThrough = true
        break
      }
      guard let cause = sent.cause else { break }
      let remedy = cause.remedy?.text
      if trial == nil {
        guard let remedy else { return }
        trial = RemedyTrial(remedy: remedy)
      } else {
        let obstacle = RemedyTrial.Obstacle(
          id: cause.id.rawValue, summary: cause.summary, remedy: remedy)
        let isKnown = trial!.obstacles.contains(obstacle)
        if !isKnown { trial!.obstacles.append(obstacle) }
        // It does not help, or leads back to where it was.
        if isKnown || remedy == trial!.remedy { break }
      }
      guard let remedy, RemedyTrial.isConfined(remedy), try ChildProcess.shell(remedy).code == 0
      else { break }
    }
    if let trial, isThrough { try Output.show(trial.json) }
    withExtendedLifetime(copy) {}
  }
}
