internal import Wire

/// Probes that are longer than the interface takes by which they come in: whoever sent them has cut them into fragments.
extension ProbePlan {
  /// Has probes come in fragments of so many octets at most, if they are longer and may be cut.
  package mutating func fragment(atMost most: Int) {
    let length = like?.count ?? packet(sequence: 1).bytes.count
    fragmentSize = dontFragment || length <= most ? nil : most
  }

  /// The packets in which the octets of a probe come in.
  package func parts(of octets: [UInt8], _ sequence: Int) -> [[UInt8]] {
    guard let fragmentSize else { return [octets] }
    return PacketFragments.of(
      octets, atMost: fragmentSize, identification: fragmentNumber(sequence))
  }

  /// What the fragments of a probe have in common: in IPv4, the packet's own number.
  private func fragmentNumber(_ sequence: Int) -> UInt32 {
    if version == 4 {
      if let like { return (try? Packet(like))?.identification.map { UInt32($0) } ?? 0 }
      return UInt32(identifier &+ UInt16(truncatingIfNeeded: sequence))
    }
    return UInt32(truncatingIfNeeded: nonce >> 32 & 0x7fff_ffff) &+ UInt32(clamping: sequence)
  }

  /// The probe of which a packet is a fragment that has not its header.
  func sequence(ofFragment packet: Packet) -> Int? {
    guard fragmentSize != nil, packet.isLaterFragment, let fragment = packet.fragment,
      packet.source.family == version
    else { return nil }
    let first = fragmentNumber(1)
    let distance =
      version == 4
      ? Int(UInt16(truncatingIfNeeded: fragment.identification) &- UInt16(clamping: first))
      : Int(fragment.identification &- first)
    return distance < count ? distance + 1 : nil
  }

  /// What tells such fragments.
  var fragmentMarks: [ProbeMark] {
    guard fragmentSize != nil else { return [] }
    let (first, last) = (Int(fragmentNumber(1)), Int(fragmentNumber(count)))
    // The numbers begin again with 0.
    guard first <= last else { return [] }
    let number = proto.kind.number(version)
    if version == 4 {
      let (identification, place): (UInt32, UInt32) = (4, 6)
      return [
        ProbeMark(
          proto: number,
          fields: [
            .init(isNetwork: true, offset: identification, first...last, octets: 2),
            .init(isNetwork: true, offset: place, 1...0x3fff, octets: 2),
          ])
      ]
    }
    let (next, identification, fragmentHeader): (UInt32, UInt32, Int) = (6, 44, 44)
    return [
      ProbeMark(
        proto: number,
        fields: [
          .init(isNetwork: true, offset: next, fragmentHeader...fragmentHeader, octets: 1),
          .init(isNetwork: true, offset: identification, first...last, octets: 4),
        ])
    ]
  }
}
