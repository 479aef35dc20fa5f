import ArgumentParser

// Other machines on which the probes are watched.
extension Ping {
  func checkMachines() throws {
    if machines.via.isEmpty { return }
    for (name, isThere) in [
      ("--with", !with.isEmpty), ("--dry-run", dryRun), ("--like", like != nil),
    ] where isThere {
      throw ValidationError("--via and \(name) exclude each other")
    }
    if hasClient, local {
      throw ValidationError(
        "--via watches one probe: not with --local and a client, which asks both ways")
    }
  }
}
