internal import Wire

extension Story {
  /// Takes in a line of the kernel log: a packet at one point. Its place among the points is what the rule's prefix says.
  mutating func takeLine(_ line: LogLine) {
    guard let (label, hook) = ObservationPoint.label(inPrefix: line.prefix) else { return }
    let identity = PacketIdentity(line)
    let point = points.point(label: label, at: hook) ?? learned(label, hook, line, identity)
    // IPv4 in a frame: the kernel leaves the mark out, whatever it is.
    let isMarkLeftOut = hook == .egress && line.mark == nil
    let packet = line.packet
    var sighting = Sighting(
      point: point, time: now, clockStep: clock.step,
      inDevice: hook == .postrouting ? nil : line.inDevice,
      outDevice: line.outDevice, packet: packet, identity: identity,
      mark: packet.isMulticastListenerDiscovery ? 0 : isMarkLeftOut ? nil : line.mark ?? 0)
    if point.hook == .ingress || point.hook == .egress,
      let device = hook == .ingress ? line.inDevice : line.outDevice
    {
      sighting.point.label += "-\(device)"
    }
    let index = place(sighting, traceID: nil)
    open[index].key = key(of: open[index])
  }

  /// A point that the session's header does not have, such as that behind a chain of the user's: in
  /// a saved log, the order of such points shows in the order of a packet's lines.
  private mutating func learned(
    _ label: String, _ hook: Hook, _ line: LogLine, _ identity: PacketIdentity
  ) -> ObservationPoint {
    if hook == .ingress || hook == .egress {
      let point = hook == .ingress ? ObservationPoint.ingress : .egress
      if header != nil, !points.contains(point) { learn(point) }
      return point
    }
    let last = open.latest(identity).map { open[$0].lastPoint }
    let priority = last.flatMap { $0.hook == hook ? $0.priority : nil } ?? .min
    let table = String(label.dropLast(hook.rawValue.count + 1))
    var point = ObservationPoint(
      hook: hook, priority: priority == .max ? .max : priority + 1, table: table, label: label,
      chain: "\(hook.rawValue)_\(table)")
    point.isGuessed = true
    if header?.points.count ?? 0 < SessionHeader.mostPoints { learn(point) }
    return point
  }
}

extension PacketIdentity {
  /// What of a line neither routing nor NAT changes.
  init(_ line: LogLine) {
    var bare = line.packet
    // What an error quotes is not told at egress, and NAT rewrites it.
    bare.payload = []
    if let icmp = bare.icmp, icmp.isError(bare.proto) {
      bare.transport = .icmp(ICMPHeader(type: icmp.type, code: icmp.code))
    }
    self.init(bare, also: UInt64(line.flowLabel ?? 0))
  }
}

extension ObservationPoint {
  /// Hooks as labels name them.
  private static let hooks: [String: Hook] = Dictionary(
    uniqueKeysWithValues: Hook.allCases.map { ($0.rawValue.uppercased(), $0) })

  /// The label that a prefix of nftrace's rules for the kernel log has, "raw-PREROUTING: ", and the
  /// hook it ends with; nil for what is no such prefix.
  static func label(inPrefix prefix: String) -> (String, Hook)? {
    let octets = prefix.utf8
    guard octets.suffix(2).elementsEqual(": ".utf8) else { return nil }
    let label = prefix[..<octets.index(octets.endIndex, offsetBy: -2)]
    let dash = label.utf8.lastIndex(of: UInt8(ascii: "-"))
    guard dash != label.startIndex,
      let hook = hooks[String(dash.map { label[label.utf8.index(after: $0)...] } ?? label)]
    else { return nil }
    return (String(label), hook)
  }
}
