internal import Wire

extension FindingID {
  static let duplicateAddress = FindingID(rawValue: "duplicate-address")
  static let addressTentative = FindingID(rawValue: "address-tentative")
}

/// The address is this host's, and may not be used: another machine was found to have it.
enum DuplicateAddress: UnusableAddress {
  static let page = FindingPage(
    .duplicateAddress, "The IPv6 address failed duplicate address detection",
    meaning: """
      Before an IPv6 address is used, the link is asked whether another machine has it (RFC 4862). One
      answered, so the kernel keeps the address and does not use it: it has no route of the type local,
      nothing is delivered to it, and no program can send from it. That stays so when the other machine
      is gone.
      """,
    certainty: """
      Always certain: the kernel's list of addresses says so.
      """,
    conclusion: """
      The packet's destination, or the source that a program wanted, is an address of an interface here
      that has the flag `dadfailed`.
      """,
    advice: """
      Find the other machine: a cloned virtual machine, a second router, an address that was given by hand
      and by DHCPv6. Once it is gone, take the address away and give it again (`ip addr del … dev IFACE`,
      `ip addr add … dev IFACE`), so that the link is asked once more.
      """)

  fileprivate static let reason = Unusable.hasFailed

  fileprivate static func finding(
    _ address: AddressMessage, _ snapshot: Snapshot, _ evidence: [Evidence]
  ) -> Finding {
    let device = snapshot.name(address.interface) ?? "?"
    return error(
      "\(address.local.address) of \(device) is not used, for another machine on the link was found to "
        + "have it (dadfailed): once that is gone, take the address away and give it again",
      evidence: [.addressState(address.local, of: device, hasFailed: true)] + evidence)
  }

  /// It is not known yet whether another machine has it.
  enum Tentative: UnusableAddress {
    static let page = FindingPage(
      .addressTentative, "The IPv6 address is not usable yet: duplicate address detection is on",
      meaning: """
        Before an IPv6 address is used, the link is asked whether another machine has it (RFC 4862). That
        takes a second or two after the address is given, or after the interface comes up; it does not
        end as long as the interface has no carrier. Meanwhile nothing is delivered to the address, and
        no program can send from it.
        """,
      certainty: """
        Always certain: the kernel's list of addresses says so.
        """,
      conclusion: """
        The packet's destination, or the source that a program wanted, is an address of an interface here
        that has the flag `tentative`.
        """,
      advice: """
        Wait a second and try again. If it stays so, see that the interface is up and has a carrier. Where
        a service has to start at once, give the address with `nodad`, or set
        `net.ipv6.conf.IFACE.optimistic_dad` to 1.
        """)

    fileprivate static let reason = Unusable.isAsked

    fileprivate static func finding(
      _ address: AddressMessage, _ snapshot: Snapshot, _ evidence: [Evidence]
    ) -> Finding {
      let device = snapshot.name(address.interface) ?? "?"
      let hasCarrier = snapshot.link(device).map { $0.flags.contains(.lowerUp) } ?? true
      return error(
        "\(address.local.address) of \(device) is not used yet, for the link is still being asked whether "
          + "another machine has it (tentative): "
          + (hasCarrier
            ? "wait, and try again" : "\(device) has no carrier, so that this does not end"),
        evidence: [.addressState(address.local, of: device, hasFailed: false)] + evidence)
    }
  }
}

/// Why an address of this host's is not used.
private enum Unusable { case hasFailed, isAsked }

/// What the two have in common: an address of this host that no interface may use.
private protocol UnusableAddress: Cause {
  static var reason: Unusable { get }
  static func finding(
    _ address: AddressMessage, _ snapshot: Snapshot, _ evidence: [Evidence]
  ) -> Finding
}

extension UnusableAddress {
  static var needs: [Need] { [.neighbours] }

  static func examine(_ lost: LostPacket) -> Finding? {
    guard lost.stage != .ruled, lost.stage != .delivered,
      let address = lost.snapshot.unusable(lost.packet.destination, reason)
    else { return nil }
    return finding(address, lost.snapshot, lost.reasonEvidence)
  }

  static func examine(_ unsent: UnsentPacket) -> Finding? {
    for end in [unsent.packet.source, unsent.packet.destination] {
      if let address = unsent.snapshot.unusable(end, reason) {
        return finding(address, unsent.snapshot, unsent.evidence)
      }
    }
    return nil
  }
}

extension Snapshot {
  /// The entry of an address that no interface may use, for this reason.
  fileprivate func unusable(_ address: IPAddress, _ why: Unusable) -> AddressMessage? {
    let entries = addresses.entries(address)
    guard address.family == 6, !entries.contains(where: \.isUsable) else { return nil }
    return entries.first {
      $0.flags & AddressMessage.duplicate != 0 ? why == .hasFailed : why == .isAsked
    }
  }
}

extension AddressMessage {
  /// Whether detection is over, or the address may be used meanwhile.
  fileprivate var isUsable: Bool {
    flags & Self.duplicate == 0 && (flags & Self.tentative == 0 || flags & Self.optimistic != 0)
  }
}
