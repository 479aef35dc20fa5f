internal import Wire

/// Copies of packets, which rules have made: `dup` of nf_tables and TEE of iptables. They are the same to look at.
extension Story {
  /// Tells of journeys that belong to one exchange which of them are copies.
  mutating func tellCopies(in group: [Int]) {
    for (place, index) in group.enumerated() {
      for other in group[(place + 1)...] where open[other].identity == open[index].identity {
        if isSentAgain(other, copying: index) {
          open[other].isCopy = true
        } else if isOvertaken(index, by: other) {
          var next = open[other]
          open[index].giveBack(&next)
          open[other] = next
        }
      }
    }
  }

  /// The journey whose packet meets a rule although it was taken to be sent: what left was a copy, which a rule at an
  /// interface has made (`dup`), and the kernel traces that with another number. The copy gets a journey of its own.
  mutating func original(of id: UInt32) -> Int? {
    guard let index = open.begun(with: id), open[index].lastPoint.hook == .egress,
      let way = open[index].way.withoutLast
    else { return nil }
    let whole = open[index]
    var hop = whole.way.last
    let start = whole.start.later(by: hop.time)
    hop.time = 0
    let copy = open.begin(
      hop, identity: whole.identity, start: start, now: now, latestProbe: whole.latestProbe,
      roomFor: 1)
    open[copy].isCopy = true
    open.set(whole.key, of: copy)
    open[copy].clockStep = whole.clockStep
    if let copyID = whole.traceID { open.setTraceID(copyID, of: copy) }
    open[index].way = way
    open.setTraceID(id, of: index)
    return index
  }

  /// Whether this host sent a packet that had come in before.
  private func isSentAgain(_ other: Int, copying index: Int) -> Bool {
    let (first, copy) = (open[index], open[other])
    let isProxied = first.way.trailingRules.last.map { isProxy($0, of: first) } == true
    // A service may send back what it got.
    let isAnswer = copy.way.first.packet.hasEnds(of: first.way.last.packet.answer)
    return copy.way.first.point.hook == .output && !isProxied && !isAnswer
      && [.ingress, .prerouting].contains(first.way.first.point.hook)
  }

  /// Whether a packet went on that was taken to be sent: its copy leaves by another interface at once, and the kernel
  /// traces that with another number.
  private func isOvertaken(_ index: Int, by other: Int) -> Bool {
    let (first, next) = (open[index], open[other])
    guard first.way.last.point.hook == .egress, first.hops.count > 1, first.firstTraceID != nil,
      first.traceID != first.firstTraceID, next.firstTraceID == first.firstTraceID
    else { return false }
    let before = first.hops[first.hops.count - 2]
    return next.way.first.point.follows(before.point)
  }
}

extension OpenJourney {
  /// Gives back what was seen of the packet to the journey that it had begun, and keeps its copy, of which the last hop
  /// was.
  fileprivate mutating func giveBack(_ next: inout OpenJourney) {
    guard let kept = way.withoutLast else { return }
    let copy = way.last
    let delay = next.start.since(start)
    var whole = kept
    whole.append(next.way, later: delay)
    var hop = copy
    hop.time = 0
    next.way = Way(hop)
    next.isCopy = true
    way = whole
    swap(&dropped, &next.dropped)
    swap(&droppedAt, &next.droppedAt)
    swap(&traceID, &next.traceID)
    connectionID = next.connectionID ?? connectionID
    connectionState = next.connectionState ?? connectionState
    isReply = next.isReply ?? isReply
    arrivalStatus = arrivalStatus ?? next.arrivalStatus
    tracedStatus.formUnion(next.tracedStatus)
  }
}
