package import Report

/// How the tables of a setup are.
package enum SetupCondition: String, Sendable {
  /// As they should be.
  case installed
  /// Somebody removed them.
  case missing
  /// There are other base chains or devices now.
  case outdated
  /// They could not be looked at.
  case unknown

  /// What goes behind where they are.
  package var words: StyledLine {
    switch self {
    case .installed, .unknown: ""
    case .missing: ": THEY ARE GONE; 'nftrace setup' with a subnet of it installs them again"
    case .outdated:
      ": the ruleset or the interfaces changed since; 'nftrace setup' with a subnet of it follows"
    }
  }
}
