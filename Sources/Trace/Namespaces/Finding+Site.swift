extension Finding {
  /// The same, found in one of several places: it says which, and its remedy is for a shell where this was asked.
  package func told(of site: Site) -> Finding {
    var finding = self
    finding.site = site
    finding.summary = "\(site.place): \(summary)"
    finding.remedy = remedy.flatMap(site.reached)
    finding.alternatives = alternatives.compactMap(site.reached)
    return finding
  }
}
