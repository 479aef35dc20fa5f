package import Kernel
package import Trace
package import Wire

/// What a recorder takes of the kernel. Its sockets are open, and the setup's group is held.
package protocol RecorderKernel: TableInstaller {
  /// What the rules report.
  var events: any EventSource { get }
  /// Who answers what is still to be known.
  var oracle: any Oracle { get }
  /// Changes of interfaces and addresses.
  var interfaces: any InterfaceChanges { get }
  /// The kernel's release.
  var release: String { get }
  /// Which machine it is.
  var machine: Machine.Name { get }
  /// The NAT targets of iptables-legacy there are.
  func natTargets() -> [Int: [String]]
  /// The tables of iptables-legacy there are, for either IP version.
  var legacyTables: Set<String> { get }
  /// What the kernel lists.
  func listing() throws(KernelError) -> OpeningListing
  /// What routing goes by, if it may be another than when this was asked last; does not wait.
  func routingNews() -> [Record]?
  /// What can be read when that is the case; nil where it cannot be told.
  var routingDescriptor: Int32? { get }
  /// The moment of the monotonic clock at which there is such news; nil where there is none.
  var routingDue: UInt64? { get }
  /// All chains, as NFT_MSG_NEWCHAIN messages.
  func chains() throws(KernelError) -> [NetlinkMessage]
  /// What the counters of nftrace's points say, by their chains.
  func counters() throws(KernelError) -> [String: UInt64]
  /// Whether there is a table of this name.
  func hasTables(_ name: String) throws(KernelError) -> Bool
  /// Whether anybody but nftrace uses the network namespace.
  func isNamespaceHeld() -> Bool
  /// What the namespace is called for `ip netns`; nil where it has no name.
  var namespaceName: String? { get }
  /// Everything is open: gives up the rights that are not needed any more.
  func giveUpRights() throws(KernelError)
}

extension RecorderKernel {
  /// Nothing is known of it.
  package func routingNews() -> [Record]? { nil }
  /// Nothing is heard of it.
  package var routingDescriptor: Int32? { nil }
  /// Nothing is heard of it.
  package var routingDue: UInt64? { nil }
  /// It has none.
  package var namespaceName: String? { nil }
}

/// What is written down of the setup that is recorded: `SetupFiles`.
package protocol RecorderStore {
  /// What tells the network namespace from others.
  var namespaceKey: String { get }
  /// What is set up; nil if nothing is.
  func load() throws(KernelError) -> SetupState?
  /// Writes down what is set up.
  func save(_ state: SetupState) throws(KernelError)
  /// Writes down how far the recorder has come.
  func save(_ recorder: RecorderState) throws(KernelError)
  /// Keeps room for what `release` lets be written.
  func reserve()
  /// A disk that is full has room now.
  func release()
  /// Calls `body` while no other command changes a setup. Returns false, and does not call it, while one does.
  func ifUnlocked(_ body: () throws(KernelError) -> Void) throws(KernelError) -> Bool
}

/// Where a recorder tells what it has counted.
package protocol MetricsSink {
  /// Puts this text in the place of the one before it: who reads it finds one of them, whole.
  func put(_ text: String) throws(KernelError)
}
