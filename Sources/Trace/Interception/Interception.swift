package import Wire

/// What is done with packets that were diverted: which are chosen, and what becomes of those.
///
/// It works in the buffer a packet was read into, and makes no other.
package struct Interception: Sendable {
  /// What becomes of chosen packets.
  package enum Action: Sendable, Equatable {
    /// They go on, with these changes.
    case change([PacketEdit])
    /// They go nowhere.
    case drop
  }

  /// What became of a packet.
  package enum Fate: Sendable, Equatable {
    /// It goes on as it was.
    case passed
    /// It goes on, changed.
    case changed
    /// It was chosen and goes on as it was, because the change does not go with it.
    case unchangeable
    /// It became the answer to itself.
    case answered
    /// It goes nowhere.
    case dropped
    /// It is none of the traffic that was diverted, and goes nowhere.
    case foreign
  }

  /// What was done with a packet.
  package struct Treatment: Sendable, Equatable {
    /// What became of it.
    package let fate: Fate
    /// Whether it was chosen.
    package let isChosen: Bool
    /// What is to be done before it goes on, so that its answers come from where it was sent to.
    package let answers: AnswerChange?
  }

  /// How many packets had which fate.
  package struct Counts: Sendable, Equatable {
    /// Packets, and their octets.
    package var packets = 0, octets = 0
    /// Packets with each fate.
    package var passed = 0, changed = 0, unchangeable = 0, answered = 0, dropped = 0
    /// Packets the kernel did not take back.
    package var refused = 0
    /// Fragments whose first was not seen, so that their ports are not known.
    package var orphans = 0
  }

  private let matches: [PacketMatch]
  private let list: PrefixList?
  private let action: Action
  private let forgesEcho: Bool
  private var fragments = FragmentMemory()
  private var answers = AnswerMemory()
  /// So far.
  package private(set) var counts = Counts()

  /// An interception. No `matches` choose all packets, several those that one of them is for; a
  /// `list` chooses by destination. Both must choose a packet. Echo requests that are chosen are
  /// answered if `forgesEcho`, before `action` comes to them.
  package init(
    matches: [PacketMatch] = [], list: PrefixList? = nil, action: Action = .change([]),
    forgesEcho: Bool = false
  ) {
    self.matches = matches
    self.list = list
    self.action = action
    self.forgesEcho = forgesEcho
  }

  /// Decides about the packet in the first `count` octets of `bytes`, and changes it there. What goes
  /// on has a TTL of one more than it will leave with: the kernel takes one off when it forwards it.
  package mutating func handle(_ bytes: inout [UInt8], count: Int) -> Treatment {
    guard let layout = PacketLayout(bytes, count: count), !Self.isMulticast(bytes, layout) else {
      return Treatment(fate: .foreign, isChosen: false, answers: nil)
    }
    counts.packets += 1
    counts.octets += layout.count
    let treatment = decide(&bytes, layout)
    let fate = treatment.fate
    switch fate {
    case .passed: counts.passed += 1
    case .changed: counts.changed += 1
    case .unchangeable: counts.unchangeable += 1
    case .answered: counts.answered += 1
    case .dropped, .foreign: counts.dropped += 1
    }
    if fate == .passed || fate == .changed || fate == .unchangeable {
      layout.raiseTTL(in: &bytes)
    }
    return treatment
  }

  /// The kernel did not take a packet back.
  package mutating func countRefusal() { counts.refused += 1 }

  private mutating func decide(_ bytes: inout [UInt8], _ layout: PacketLayout) -> Treatment {
    let choice: FragmentMemory.Choice
    if layout.part == .laterFragment {
      if let known = fragments.recall(bytes, layout) {
        choice = known
      } else {
        counts.orphans += 1
        choice = .init(isChosen: isChosen(bytes, layout), isEcho: false)
      }
    } else {
      choice = .init(
        isChosen: isChosen(bytes, layout), isEcho: forgesEcho && layout.isEchoRequest(bytes))
      if layout.part == .firstFragment { fragments.remember(choice, bytes, layout) }
    }
    guard choice.isChosen else {
      return Treatment(fate: .passed, isChosen: false, answers: nil)
    }
    var change: AnswerChange?
    let fate = act(&bytes, layout, isEcho: choice.isEcho, &change)
    return Treatment(fate: fate, isChosen: true, answers: change)
  }

  private mutating func act(
    _ bytes: inout [UInt8], _ layout: PacketLayout, isEcho: Bool, _ change: inout AnswerChange?
  ) -> Fate {
    if isEcho {
      layout.makeEchoReply(in: &bytes)
      return .answered
    }
    switch action {
    case .drop: return .dropped
    case .change(let edits):
      if edits.isEmpty { return .passed }
      let (asked, port) = (layout.destination(bytes), layout.destinationPort(bytes))
      var (isChanged, isElsewhere) = (false, false)
      for edit in edits where edit.apply(to: &bytes, layout) {
        isChanged = true
        if case .destination = edit { isElsewhere = true }
      }
      if isElsewhere,
        let translation = AnswerTranslation(bytes, layout, asked: asked, port: port)
      {
        change = answers.note(translation)
      }
      return isChanged ? .changed : .unchangeable
    }
  }

  /// A port that is not known is not the one that is wanted.
  private func isChosen(_ bytes: [UInt8], _ layout: PacketLayout) -> Bool {
    if let list {
      let address = layout.destination(bytes)
      let decision =
        layout.version == 4
        ? list.decision(v4: UInt32(truncatingIfNeeded: address)) : list.decision(v6: address)
      guard decision == .listed else { return false }
    }
    return matches.isEmpty || matches.contains { $0.matches(bytes, layout) == true }
  }

  /// What the kernel itself sends on every interface: reports of multicast groups, solicitations.
  private static func isMulticast(_ bytes: [UInt8], _ layout: PacketLayout) -> Bool {
    layout.version == 4 ? bytes[16] >> 4 == 0xe : bytes[24] == 0xff
  }
}
