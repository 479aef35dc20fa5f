internal import CNetfilter
internal import Glibc
package import Trace
internal import Wire

// Changes of the ruleset, in transactions: all of one is carried out, or nothing. The kernel knows by this
// socket whose the tables are.
extension NetfilterSocket {
  /// Carries out the transaction that makes these tables, in the place of those that
  /// have this name if `replacing`. They go when this socket closes; with nil for `journals` they stay.
  /// It is a directory, see `run(owning:journals:)`. Returns the points that
  /// were made: a kernel without the netdev family's hooks (egress came with 5.16) has fewer.
  package mutating func install(
    _ tables: ObservationTables, table: String, journals: String?, replacing: Bool = false,
    points: [ObservationPoint], devices: [String]
  ) throws(KernelError) -> [ObservationPoint] {
    var points = points
    var tables = tables
    while true {
      do throws(RefusedTransaction) {
        let batch = { (owned: Bool, sequence: UInt32) in
          tables.batch(
            table: table, owned: owned, replacing: replacing, points: points,
            devices: devices, firstSequence: sequence)
        }
        if let journals {
          try carryOut(owning: table, journals: journals, batch)
        } else {
          try carryOut(batch(false, sequence))
        }
        return points
      } catch {
        if tables.standsAtAllDevices, error.reason.errno == EINVAL,
          case .addChain(NFProto.netdev, _, _) = error.step
        {
          tables.standsAtAllDevices = false
          continue
        }
        guard [EOPNOTSUPP, EAFNOSUPPORT, ENOENT].contains(error.reason.errno) else {
          throw error.reason
        }
        if tables.watchesARP, error.step?.family == NFProto.arp {
          tables.watchesARP = false
          continue
        }
        let edges: [Hook] = [.egress, .ingress]
        guard
          let missing = edges.first(where: { hook in points.contains { $0.hook == hook } })
        else { throw error.reason }
        points.removeAll { $0.hook == missing }
      }
    }
  }

  /// Removes a table of this name in both families, if it is there.
  package mutating func removeTables(_ name: String, families: [UInt8]) throws(KernelError) {
    guard !families.isEmpty else { return }
    try run { batch in
      for family in families { batch.deleteTable(family: family, name: name) }
    }
  }

  /// Carries out a transaction that makes tables of this name, which go when this socket closes.
  /// `batch` gets whether they are to have it for their owner, and the number to begin with. Where the
  /// kernel knows no owners, before Linux 5.12, a guardian removes them, whose journal is kept in the
  /// directory `journals`.
  mutating func run(
    owning table: String, journals: String,
    _ batch: (_ owned: Bool, _ sequence: UInt32) -> RulesetBatch
  ) throws(KernelError) {
    do throws(RefusedTransaction) {
      try carryOut(owning: table, journals: journals, batch)
    } catch {
      throw error.reason
    }
  }

  /// Carries out the transaction that `build` makes.
  mutating func run(_ build: (inout RulesetBatch) -> Void) throws(KernelError) {
    var batch = RulesetBatch(firstSequence: sequence)
    build(&batch)
    batch.end()
    do throws(RefusedTransaction) {
      try carryOut(batch)
    } catch {
      throw error.reason
    }
  }

  private mutating func carryOut(
    owning table: String, journals: String,
    _ batch: (_ owned: Bool, _ sequence: UInt32) -> RulesetBatch
  ) throws(RefusedTransaction) {
    if keeper == nil {
      do {
        return try carryOut(batch(true, sequence))
      } catch {
        guard error.reason.errno == EINVAL, case .addTable = error.step else { throw error }
      }
      do {
        keeper = try TableKeeper(table, journals: journals)
      } catch {
        throw RefusedTransaction(reason: error)
      }
    }
    try carryOut(batch(false, sequence))
  }

  private mutating func carryOut(_ batch: RulesetBatch) throws(RefusedTransaction) {
    let refusal: (step: RulesetStep, message: NetlinkMessage)?
    do throws(KernelError) {
      refusal = try firstRefusal(of: batch)
    } catch {
      throw RefusedTransaction(reason: error)
    }
    guard let (step, message) = refusal else { return }
    throw RefusedTransaction(
      step: step,
      reason: conversation.refusal(message, message.errorCode, attempt: step.description))
  }

  /// Sends a transaction, and waits until it is carried out or refused. Returns the first step that the
  /// kernel refused, with what it said; nil if it carried it out.
  private mutating func firstRefusal(
    of batch: RulesetBatch
  ) throws(KernelError) -> (step: RulesetStep, message: NetlinkMessage)? {
    try send(batch, attempt: "send an nf_tables transaction")
    var isCut = false
    while !isCut {
      var messages: [NetlinkMessage] = []
      do {
        messages = try receiveAnswers(wait: true)
      } catch  where error.errno == ENOBUFS {
        // Each step is refused by a message, which may be more than there is room for. The first of
        // them is there, and tells; until all are read there is room for no others.
        isCut = true
        while case let more = try receiveAnswers(wait: false), !more.isEmpty { messages += more }
        // Nothing about packets was.
        forgetLoss()
      }
      for message in messages {
        guard let step = batch.step(of: message) else { continue }
        if message.errorCode != 0 { return (step, message) }
        if message.sequence == batch.lastObject { return nil }
      }
    }
    throw KernelError(cannot: Self.hearing, function: "recv", errno: ENOBUFS)
  }

  private static let hearing = "hear what became of an nf_tables transaction"

  /// Tries a transaction out: the kernel looks at everything in it, says what it would refuse, and
  /// carries nothing out, because the end is missing. Returns what it refused, and why.
  mutating func tryOut(
    _ build: (inout RulesetBatch) -> Void
  ) throws(KernelError) -> [(step: RulesetStep, errno: Int32)] {
    var batch = RulesetBatch(firstSequence: sequence)
    build(&batch)
    batch.leaveOpen()
    try send(batch, attempt: "try an nf_tables transaction")
    // The kernel answers before send(2) returns.
    var refused: [(step: RulesetStep, errno: Int32)] = []
    while true {
      let messages = try receiveAnswers(wait: false)
      if messages.isEmpty { return refused }
      for message in messages {
        let failed = message.errorCode
        guard failed != 0, let step = batch.step(of: message) else { continue }
        // Refused as a whole where the first message already is: for want of rights.
        refused += (step == .begin ? batch.steps : [step]).map { ($0, failed) }
      }
    }
  }

  private mutating func send(
    _ batch: RulesetBatch, attempt: String
  ) throws(KernelError) {
    sequence += UInt32(batch.steps.count)
    var room = Int32(batch.bytes.count * 4)
    // Sound: the size is that of the variable pointed to.
    _ = unsafe setsockopt(
      fileDescriptor, SOL_SOCKET, SO_SNDBUFFORCE, &room, socklen_t(MemoryLayout<Int32>.size))
    try conversation.send(batch.bytes, attempt: attempt)
  }

  private mutating func receiveAnswers(wait: Bool) throws(KernelError) -> [NetlinkMessage] {
    try conversation.receive(attempt: Self.hearing, wait: wait)
  }
}

/// A transaction that was not carried out.
private struct RefusedTransaction: Error {
  /// Which step the kernel refused; nil where it did not come to that.
  var step: RulesetStep?
  /// In words for the user.
  var reason: KernelError
}

extension RulesetBatch {
  /// Which step a message of the kernel's is about; nil where it is none about this transaction: of one that
  /// was refused before, more may have been said than was read.
  fileprivate func step(of message: NetlinkMessage) -> RulesetStep? {
    let index = Int(message.sequence &- firstSequence)
    guard message.type == NetlinkMessage.errorType, message.payload.count >= 4,
      steps.indices.contains(index)
    else { return nil }
    return steps[index]
  }
}
