internal import Wire

extension Story {
  /// Takes in a line of the kernel log: a packet at one point. Its place among the points is what the rule's prefix says.
  mutating func takeLine(_ line: LogLine) {
    guard let (label, hook, _) = ObservationPoint.label(inPrefix: line.prefix) else { return }
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
    open.set(key(of: open[index]), of: index)
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
      hook: hook, priority: ObservationPoint.priority(behind: priority), table: table, label: label,
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
    // A flow label has 20 bits. In another namespace it is another journey.
    let place = ObservationPoint.label(inPrefix: line.prefix)?.namespace ?? 0
    self.init(bare, also: UInt64(line.flowLabel ?? 0) | UInt64(place) << 20)
  }
}

extension ObservationPoint {
  /// Hooks as labels name them.
  private static let hooks: [String: Hook] = Dictionary(
    uniqueKeysWithValues: Hook.allCases.map { ($0.rawValue.uppercased(), $0) })

  /// What a prefix of nftrace's rules for the kernel log says, "raw-PREROUTING: " or, outside of the machine's
  /// first network namespace, "net:[4026532201] raw-PREROUTING: ": the label, the hook it ends with, and the
  /// namespace's number. nil for what is no such prefix.
  static func label(
    inPrefix prefix: String
  ) -> (label: String, hook: Hook, namespace: UInt32?)? {
    var octets = prefix.utf8[...]
    guard octets.suffix(2).elementsEqual(": ".utf8) else { return nil }
    octets.removeLast(2)
    var namespace: UInt32?
    if octets.starts(with: namespaceStart.utf8) {
      let rest = octets.dropFirst(namespaceStart.utf8.count)
      guard let end = rest.firstIndex(of: UInt8(ascii: "]")),
        let number = UInt32(Substring(rest[..<end])),
        rest[end...].starts(with: "] ".utf8)
      else { return nil }
      namespace = number
      octets = rest[rest.index(end, offsetBy: 2)...]
    }
    let label = Substring(octets)
    let dash = octets.lastIndex(of: UInt8(ascii: "-"))
    guard dash != octets.startIndex,
      let hook = hooks[String(dash.map { label[octets.index(after: $0)...] } ?? label)]
    else { return nil }
    return (String(label), hook, namespace)
  }

  private static let namespaceStart = "net:["

  /// What begins the prefixes of rules in the network namespace of this number, as /proc names it.
  package static func logNamespace(_ number: UInt64) -> String { "\(namespaceStart)\(number)]" }

  /// Octets that it takes, with a space.
  static let logNamespaceLength = 17
}
