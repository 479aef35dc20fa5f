package import Kernel

/// Calls that fail: the n-th of all, or those of a kind.
package final class Faults {
  /// What is called.
  package enum Call: Sendable, Hashable, CaseIterable {
    case listing, takeGroup, dropReasons, install, listen, prepare, readPacket, writePacket, drain
    case sessionBegin, sessionWrite, settings, giveUpRights
    case load, save, recorderSave, lock, forget
    case surroundings, removeTables, link, addresses, routes, addAddress, raise
    case sysctl, createTun, keep, undo, startRecorder, mediumWrite, rotate
  }

  /// Calls that always fail from the given one on, counted from 0 for each kind, with this errno.
  package var failing: [Call: (from: Int, errno: Int32)] = [:]
  /// The call that fails, counted from 0 over all kinds; nil for none.
  package var index: Int?
  /// The errno of the latter.
  package var errno: Int32 = 12
  /// The kinds that `index` counts; empty for all.
  package var counted: Set<Call> = []
  /// Calls so far.
  package private(set) var count = 0
  private var counts: [Call: Int] = [:]
  /// What failed.
  package private(set) var failed: [Call] = []

  /// Nothing fails.
  package init() {}

  /// To be called by what is called.
  package func check(_ call: Call) throws(KernelError) {
    let number = counts[call, default: 0]
    counts[call] = number + 1
    var code: Int32?
    if counted.isEmpty || counted.contains(call) {
      if count == index { code = errno }
      count += 1
    }
    if let failure = failing[call], number >= failure.from { code = failure.errno }
    guard let code else { return }
    failed.append(call)
    throw KernelError(cannot: "\(call)", function: "simulated", errno: code)
  }
}
