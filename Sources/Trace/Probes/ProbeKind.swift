package import Wire

/// What a protocol does for probes: a probe of it is made, recognised wherever it is seen, and answered. A
/// type of this kind is all that nftrace knows of a protocol as something to probe with; `ProbeProtocol`
/// lists them.
package protocol ProbeKind: Sendable {
  /// As `--protocol` and session files have it: "tcp".
  var name: String { get }
  /// Its number in this version of IP, 4 or 6.
  func number(_ version: Int) -> IPProtocol
  /// Whether probes go to a port, and which where none is asked for.
  var ports: ProbePorts { get }
  /// Octets of payload behind the transport header where none are asked for, and the fewest there can be.
  var size: (usual: Int, least: Int) { get }
  /// Whether what it is sent to answers it as a rule. Of what nobody answers, it is told that it left.
  var isAnswered: Bool { get }
  /// Whether all that belongs to a probe carries its nonce, answers too.
  var carriesNonce: Bool { get }
  /// Whether payloads have a trace's context, as `traceparent` writes it, if they have so many octets, and where it is in
  /// them.
  var carriesContext: Bool { get }
  var contextSize: Int { get }
  var contextOffset: Int { get }
  /// Whether a program that sends such packets holds their port: without it, the kernel refuses what
  /// answers them.
  var holdsPort: Bool { get }
  /// A nonce as such probes can carry it, made of random bits.
  func nonce(of random: UInt64) -> UInt64
  /// Whether so many probes of so many octets of payload can be told apart.
  func canTellApart(count: Int, size: Int) -> Bool

  /// What is behind the IP header of the probe of this sequence number.
  func segment(_ plan: ProbePlan, _ sequence: Int) -> (transport: Transport, payload: [UInt8])
  /// The packet that ends what an answered or lost probe may have begun at the far end; nil for nothing.
  func end(_ plan: ProbePlan, _ sequence: Int, answer: Packet?) -> Packet?

  /// The sequence number of the probe that `packet` is, answers or quotes; nil for other people's packets.
  /// Where the answer tells no more, it is taken to answer the `latest`.
  func sequence(_ plan: ProbePlan, of packet: Packet, latest: Int?) -> Int?
  /// What its probes, their answers and errors about them have in their headers, the probes first: by
  /// this the kernel's rules tell them from other packets.
  func marks(_ plan: ProbePlan) -> [ProbeMark]
  /// Those of the marks that are numbers of 32 bits, drawn for these probes: by them a packet is known as theirs
  /// wherever on the machine it is seen. Where there are none, the nonce tells.
  func numbers(_ plan: ProbePlan) -> [ProbeMark]
  /// Which way a packet goes that belongs to a probe; nil where its header does not say.
  func direction(_ plan: ProbePlan, of packet: Packet) -> Journey.Direction?
  /// Whether a packet goes back from the service that probes of this plan ask: it has the type, the flags and the
  /// ports that an answer has.
  func isBackFromService(_ plan: ProbePlan, _ packet: Packet) -> Bool
}

/// Where probes of a protocol go to.
package enum ProbePorts: Sendable, Equatable {
  /// The protocol has no ports.
  case none
  /// To this one where none is asked for.
  case usual(UInt16)
  /// One has to be asked for.
  case required
}

// What most protocols have in common.
extension ProbeKind {
  var isAnswered: Bool { true }
  var carriesNonce: Bool { false }
  var carriesContext: Bool { false }
  var contextSize: Int { size.usual }
  var contextOffset: Int { 0 }
  var holdsPort: Bool { false }
  func nonce(of random: UInt64) -> UInt64 { random }
  func canTellApart(count: Int, size: Int) -> Bool { true }

  func numbers(_ plan: ProbePlan) -> [ProbeMark] { [] }

  func end(_ plan: ProbePlan, _ sequence: Int, answer: Packet?) -> Packet? { nil }

  func isBackFromService(_ plan: ProbePlan, _ packet: Packet) -> Bool {
    hasPortsOfAnswer(plan, packet)
  }

  /// Whether it goes from the port that was asked to the one that its probe came from.
  func hasPortsOfAnswer(_ plan: ProbePlan, _ packet: Packet) -> Bool {
    packet.sourcePort == plan.destinationPort
      && packet.destinationPort == sequence(plan, of: packet, latest: nil).map(plan.port)
  }
}
