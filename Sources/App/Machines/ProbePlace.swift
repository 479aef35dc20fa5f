internal import Kernel
internal import Trace
internal import Wire

/// Where the probes of a ping are watched: a network namespace of this machine (`PingPlace`), or another machine
/// (`RemotePlace`).
protocol ProbePlace: AnyObject {
  /// Its place on the list: the probes enter in the first, which is 0.
  var number: Int { get }
  /// What is known of it, as if it were the only one.
  var header: SessionHeader { get }
  /// What was listed there when all began.
  var opening: [Record] { get }
  /// Readable when there is something new, or it is over.
  var descriptor: Int32 { get }
  /// Listens, from now on, to what is wanted.
  func listen() throws(KernelError)
  /// Sees to it, before rights are given up, that what takes them can still be found out.
  func appointDeputy()
  /// Hands over what was reported, at most so much. Returns whether that was all.
  func drain(
    atMost limit: Int, into record: (Record) throws(KernelError) -> Void
  ) throws(KernelError) -> Bool
  /// What the kernel there said of drops since the last time, but for what it says of other places.
  func drops(besides others: [any ProbePlace], where isWanted: (DropEvent) -> Bool) -> [Record]
  /// A probe was sent.
  func note(sent record: Record) throws(KernelError)
  /// Probes are over, and will be asked about.
  func announce(_ probes: [Int], _ ping: PingStory) throws(KernelError)
  /// What is found out of probes that are over.
  func answers(about probes: [Int], _ ping: PingStory) throws(KernelError) -> [Record]
  /// The texts of rules that changed while they were read.
  func answersAgain(_ ping: PingStory) -> [Record]
  /// Waits until every change of the ruleset is told of that an answer so far can have in it.
  func awaitNotifications()
  /// Runs remedies in copies of it, one after the other, and sends the probe there: which of them gets it through. Nil where none
  /// does, and where that cannot be done.
  func rehearse(_ remedies: RemediesToTry) -> RemedyTrial?
  /// What is asked from now on is about packets that are still to come.
  func forgetPackets()
  /// Shows who is connected that somebody still is.
  func stayConnected() throws(KernelError)
}

extension ProbePlace {
  func note(sent record: Record) {}
  func announce(_ probes: [Int], _ ping: PingStory) {}
  func stayConnected() {}
  func rehearse(_ remedies: RemediesToTry) -> RemedyTrial? { nil }
}

extension [any ProbePlace] {
  /// Whether some of them are on other machines.
  var areFarApart: Bool { contains { $0.header.via != nil } }
}
