internal import Wire

extension FindingID {
  static let socketFilter = FindingID(rawValue: "socket-filter")
}

/// A filter at the socket, or of its control group, dropped the packet.
enum SocketFilter: Cause {
  static let page = FindingPage(
    .socketFilter, "A filter of the socket, or of its control group, dropped the packet",
    meaning: """
      The packet was let through by all rules, and a BPF program dropped it where it was to come into a
      socket or came out of one. Such programs belong to a control group (systemd makes them of
      `IPAddressDeny=`, container engines of their policies), or the program that has the socket has put
      a filter on it itself (SO_ATTACH_FILTER).
      """,
    certainty: """
      Always certain: the kernel gave this reason for the drop.
      """,
    conclusion: """
      The kernel's drop reason is SOCKET_FILTER, or begins with BPF_CGROUP.
      """,
    advice: """
      `systemctl show -p IPAddressAllow -p IPAddressDeny UNIT` says what systemd has for a service;
      `bpftool cgroup tree` lists all programs of control groups. A filter of the socket's own is the
      program's affair: look into its configuration.
      """)

  static let needs: [Need] = [.host(.sockets)]

  static func examine(_ lost: LostPacket) -> Finding? {
    guard let reason = lost.socketReason ?? lost.dropReason,
      reason == "SOCKET_FILTER" || reason.hasPrefix("BPF_CGROUP")
    else { return nil }
    let socket = lost.listeners.first
    let group = socket?.group.map { " \(Escape.name($0))" } ?? ""
    let program = socket?.program.map { " of \(Escape.name($0))" } ?? ""
    let place = lost.packet.destinationPort.map { " for \(lost.portName($0))" } ?? ""
    return error(
      reason == "SOCKET_FILTER"
        ? "a filter of the socket\(program)\(place), or of its control group\(group), dropped it: "
          + "see 'bpftool cgroup tree', and IPAddressDeny of its systemd unit"
        : "a BPF program of the sender's control group dropped the \(RuleNames.what(lost)): see "
          + "'bpftool cgroup tree', and IPAddressDeny of its systemd unit",
      evidence: (socket.map { [lost.evidence($0)] } ?? []) + lost.reasonEvidence
        + lost.socketReasonEvidence)
  }
}
