extension ProbeResult {
  /// The findings of a whole run: the worst first, none repeated.
  package static func findings(of results: [ProbeResult], _ counts: EventCounts) -> [Finding] {
    findings(of: results.flatMap(\.findings), counts)
  }

  /// The same of what was found so far.
  package static func findings(of findings: [Finding], _ counts: EventCounts) -> [Finding] {
    var found: [Finding] = []
    for finding in findings
    where !found.contains(where: {
      $0.id == finding.id && $0.at == finding.at && $0.site == finding.site
    }) {
      found.append(finding)
    }
    if let lost = EventsLost.finding(counts) { found.append(lost) }
    if let set = ClockSet.finding(counts) { found.append(set) }
    let order: [Finding.Severity] = [.error, .warning, .note]
    return order.flatMap { severity in found.filter { $0.severity == severity } }
  }
}
