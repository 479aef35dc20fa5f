package import Wire

/// From where the answers to packets of a flow are to come for who sent them, when an edit sent these
/// elsewhere: from the address and port that were asked.
package struct AnswerTranslation: Sendable, Hashable {
  /// What answers are recognised by: the two ends, as the changed packets name them.
  package struct Flow: Sendable, Hashable {
    /// The transport protocol's number.
    package let proto: UInt8
    /// Where packets of the flow go, and answers come from.
    package let remote: IPAddress
    /// The address they come from.
    package let local: IPAddress
    /// The ports of both: of an echo request, its identifier twice. nil where there are none.
    package let ports: Ports?
  }

  /// The ports of a flow.
  package struct Ports: Sendable, Hashable {
    /// From where answers come, and where they go.
    package let remote, local: UInt16
  }

  /// What the answers are recognised by.
  package let flow: Flow
  /// The address that was asked.
  package let asked: IPAddress
  /// And its port; 0 where there is none.
  package let askedPort: UInt16
}

extension AnswerTranslation {
  /// Flows whose answers are translated at one time.
  package static let most = 65536

  /// For the answers to a packet that lies, changed, in `bytes`; before, it was to go to `asked`. nil
  /// where it does not say whose answers these are, as behind the first fragment, or gets none, as an error.
  init?(_ bytes: [UInt8], _ layout: PacketLayout, asked: UInt128, port: UInt16?) {
    guard layout.part != .laterFragment else { return nil }
    let ports: Ports?
    switch IPProtocol(rawValue: layout.proto) {
    case .tcp, .udp:
      guard let local = layout.sourcePort(bytes), let remote = layout.destinationPort(bytes)
      else { return nil }
      ports = Ports(remote: remote, local: local)
    case .icmp, .icmpv6:
      guard let identifier = layout.echoIdentifier(bytes) else { return nil }
      ports = Ports(remote: identifier, local: identifier)
    default: ports = nil
    }
    flow = Flow(
      proto: layout.proto,
      remote: Self.address(layout.destination(bytes), layout.version),
      local: Self.address(layout.source(bytes), layout.version),
      ports: ports)
    self.asked = Self.address(asked, layout.version)
    askedPort = port ?? 0
  }

  private static func address(_ number: UInt128, _ version: Int) -> IPAddress {
    version == 4 ? .v4(UInt32(truncatingIfNeeded: number)) : .v6(number)
  }
}

/// What is to be different from now on about the translation of answers.
package struct AnswerChange: Sendable, Equatable {
  /// What is no longer translated; nil for nothing.
  package let removed: AnswerTranslation?
  /// What is translated from now on.
  package let added: AnswerTranslation
}

/// The flows whose answers are translated back. Where there are too many, the one goes that was not used for
/// long, about as a clock with one hand finds it: who was used since the hand passed is spared once.
struct AnswerMemory: Sendable {
  private var places: [AnswerTranslation.Flow: Int] = [:]
  private var entries: [(translation: AnswerTranslation, isUsed: Bool)] = []
  private var hand = 0
  private let capacity: Int

  /// Room for so many flows.
  init(capacity: Int = AnswerTranslation.most) { self.capacity = capacity }

  /// Takes in that a packet of a flow went on; nil where its answers are translated so already.
  mutating func note(_ translation: AnswerTranslation) -> AnswerChange? {
    if let place = places[translation.flow] {
      let known = entries[place].translation
      entries[place] = (translation, true)
      return known == translation ? nil : AnswerChange(removed: known, added: translation)
    }
    guard entries.count == capacity else {
      places[translation.flow] = entries.count
      entries.append((translation, true))
      return AnswerChange(removed: nil, added: translation)
    }
    while entries[hand].isUsed {
      entries[hand].isUsed = false
      hand = (hand + 1) % capacity
    }
    let old = entries[hand].translation
    places[old.flow] = nil
    places[translation.flow] = hand
    entries[hand] = (translation, true)
    hand = (hand + 1) % capacity
    return AnswerChange(removed: old, added: translation)
  }
}
