/// A table of nf_tables that nftrace made, by its name. Everything that tells such tables from those of
/// others, or that names one, asks here.
package enum OwnTable: Sendable, Hashable {
  /// Of `setup`.
  case setup
  /// That `status` makes to see what this kernel takes.
  case trial
  /// Of a command that watches, by the number of its process.
  case command(process: Int32)
  /// Of `intercept`, by the number of its process.
  case interception(process: Int32)

  /// What all of their names begin with.
  package static let prefix = "nftrace_"

  /// Whether a table of this name is nftrace's.
  package static func isOne(_ name: String) -> Bool { name.hasPrefix(prefix) }

  /// The table of this name; nil if no nftrace makes one of it.
  package init?(name: String) {
    guard name.hasPrefix(Self.prefix) else { return nil }
    let rest = name.dropFirst(Self.prefix.count)
    switch rest {
    case Self.setupName: self = .setup
    case Self.trialName: self = .trial
    default:
      let isInterception = rest.hasPrefix(Self.interceptionName)
      let number = isInterception ? rest.dropFirst(Self.interceptionName.count) : rest
      guard let process = Int32(number) else { return nil }
      self = isInterception ? .interception(process: process) : .command(process: process)
    }
  }

  /// Its name.
  package var name: String {
    switch self {
    case .setup: Self.prefix + Self.setupName
    case .trial: Self.prefix + Self.trialName
    case .command(let process): "\(Self.prefix)\(process)"
    case .interception(let process): "\(Self.prefix)\(Self.interceptionName)\(process)"
    }
  }

  /// The process that it goes with; nil if it is no one's.
  package var process: Int32? {
    switch self {
    case .setup, .trial: nil
    case .command(let process), .interception(let process): process
    }
  }

  /// The chain by which an interception changes answers back, the only one of nftrace's own that does something to
  /// packets. The point behind it has its name.
  package static let answersChain = "nftrace"

  private static let setupName = "setup"
  private static let trialName = "try"
  private static let interceptionName = "intercept_"
}
