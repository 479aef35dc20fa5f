import Trace

// What is tried in copies of the network namespace.
extension PingRun {
  /// Tries what may help these probes, and where nothing is known that does, searches for it.
  mutating func rehearse(_ ready: [Int], _ ping: inout PingStory) throws {
    for sequence in ready {
      guard let remedies = ping.remediesToTry(sequence), !rehearsed.contains(remedies),
        interest(in: sequence, ping) == .remedy
      else { continue }
      rehearsed.append(remedies)
      guard var trial = places[remedies.place].rehearse(remedies) else { continue }
      trial.place = remedies.place
      guard ping.isOne(trial, of: remedies) else { continue }
      try note(.rehearsed(trial), &ping)
    }
    for sequence in ready where !isSearched && ping.wantsSearch(sequence) {
      isSearched = true
      guard let found = first.kernel.search(for: plan) else { break }
      try note(.searched(sequence, found), &ping)
    }
  }

  private func note(_ note: Note, _ ping: inout PingStory) throws {
    let record = Record(time: max(latest, settled), .note(note))
    try sink.write(record)
    ping.take(record)
  }
}
