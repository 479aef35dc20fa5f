package import Kernel
package import Trace
package import Wire

/// What a ping takes of the kernel. Its sockets are open, and its log group is held.
package protocol PingKernel: TableInstaller {
  /// What the rules report.
  var events: any EventSource { get }
  /// Who answers what is still to be known.
  var oracle: any Oracle { get }
  /// The NFLOG group that rules are to report to.
  var group: UInt16 { get }
  /// What is to be called the table that nobody else has.
  var table: String { get }
  /// The kernel's release.
  var release: String { get }
  /// Which machine it is.
  var machine: Machine.Name { get }
  /// What tells the network namespace from others; nil where that is not known.
  var namespaceKey: String? { get }
  /// What that is called, where somebody has entered it; nil where it has no name.
  var namespaceName: String? { get }
  /// The NAT targets of iptables-legacy there are.
  func natTargets() -> [Int: [String]]
  /// What the kernel lists.
  func listing() throws(KernelError) -> OpeningListing
  /// Takes the group to which iptables-legacy reports, too.
  func takeLegacyGroup() throws(KernelError)
  /// Listens to why the kernel drops packets that pass the filter. Returns what it does not tell of that, as a sentence.
  func listenToDrops(_ filter: DropFilter) throws(KernelError) -> String?
  /// The drops since the last time.
  func drops() -> [DropEvent]
  /// Listens to traces, changes of the ruleset and connections.
  func listen() throws(KernelError)
  /// Sees to it, before rights are given up, that what takes them can still be found out.
  func appointDeputy()
  /// Runs remedies in copies of the network namespace, one after the other, and sends the probe there: which of them gets it
  /// through. Nil where none does, and where that cannot be done.
  func rehearse(_ remedies: RemediesToTry) -> RemedyTrial?
  /// Searches in copies of the network namespace for what lets a probe of the plan through; nil where that cannot be done.
  func search(for plan: ProbePlan) -> ChangesFound?
  /// Everything is open: gives up the rights that are not needed any more.
  func giveUpRights() throws
}

/// Settings that are changed while a command runs.
package protocol SettingChanges: AnyObject {
  /// Changes those that do not have these values already.
  func apply(_ settings: [(Sysctl, String)]) throws(KernelError)
}

extension PingKernel {
  /// It has none.
  package var namespaceName: String? { nil }
  /// Nobody tries them.
  package func rehearse(_ remedies: RemediesToTry) -> RemedyTrial? { nil }
  /// Nobody searches.
  package func search(for plan: ProbePlan) -> ChangesFound? { nil }
}
