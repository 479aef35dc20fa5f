internal import CNetfilter
package import Trace
package import Wire

/// The tables that nftrace looks at packets with: which packets, and what is done with them.
package struct ObservationTables: Sendable {
  /// Packets from or to these addresses.
  package var prefixes: [Prefix]
  /// Packets with one of these marks: a ping's probes, and what belongs to them.
  package var marks: [ProbeMark]
  /// Whether the probes are dropped at their last point, before conntrack keeps anything of them.
  package var discards = false
  /// The device at whose egress answers end: whoever is behind it has asked nothing, and would refuse them. Marks are
  /// what answers have.
  package var swallowed: (marks: [ProbeMark], device: String)?
  /// The IP versions to look at; rules for others are not made.
  package var versions: Set<Int>
  /// Where the packets are reported.
  package var backend: Backend
  /// Whether the kernel also tells of each rule that they meet. It costs many times what the report of a point does,
  /// so it is for who reads that.
  package var traces = true
  /// Whether packets are looked at as well of whose connection an address in some direction is in the prefixes: they may be
  /// translated, and what they are before or behind that is not. It takes conntrack: where nothing is translated, it may not
  /// be there, and must not come for this.
  package var followsTranslations = false
  /// Whether the rules that report count, for who tells how much there was.
  package var counts = false
  /// Whether to look at the hooks of ARP, too; kernels without nf_tables for ARP refuse it.
  var watchesARP: Bool
  /// Whether a chain can be at all devices without their names; kernels before Linux 6.18 refuse it.
  var standsAtAllDevices = true
  /// Packets of these prefixes that are not looked at: those of the connection through which somebody looks.
  package var leftOut: TCPConversation?
  /// Translate what these addresses send elsewhere than back to the device.
  package var masquerade: [(source: Prefix, device: String)]

  /// Where observations go.
  package enum Backend: Sendable, Equatable {
    /// To the socket that holds this NFLOG group.
    case group(UInt16)
    /// To the kernel log, which all namespaces share: with this before each line.
    case kernelLog(namespace: String?)
  }

  /// Tables that look at these packets.
  package init(
    prefixes: [Prefix], marks: [ProbeMark] = [], versions: Set<Int>, backend: Backend,
    masquerade: (source: Prefix, device: String)? = nil
  ) {
    self.prefixes = prefixes
    self.marks = marks
    watchesARP = !marks.isEmpty && versions.contains(4)
    self.versions = versions
    self.backend = backend
    self.masquerade = masquerade.map { [$0] } ?? []
  }

  /// Octets of each packet that are reported: enough for every header and the nonce, also quoted
  /// in an ICMPv6 error.
  package var snapLength: UInt32 = 256

  /// Devices that one chain of the netdev family can have: fewer than the kernel's
  /// `NFT_NETDEVICE_MAX`, 256. With more of them there is "ingress_2" beside "ingress", and so on.
  static let mostDevices = 255

  /// Devices that are named, at most, where a chain can be at all of them: for each name the kernel goes through all devices, twice.
  /// An nft that knows no chain of that kind lists the table without it.
  static let mostNamed = 32

  /// The transaction that makes `table` in the families inet and netdev with one chain a point.
  ///
  /// Each rule logs and accepts, so that a packet is reported once a point; accepting in a chain
  /// of one's own decides nothing in those of others. `devices` are those whose ingress and
  /// egress are seen; with none, the netdev table is left out. With `replacing`, tables of this name
  /// go in the same transaction: there is no moment without.
  func batch(
    table: String, owned: Bool, replacing: Bool = false, points: [ObservationPoint],
    devices: [String], firstSequence: UInt32
  ) -> RulesetBatch {
    var batch = RulesetBatch(firstSequence: firstSequence)
    func addTable(_ family: UInt8) {
      if replacing {
        // To delete what is not there is an error, to add what is there is none.
        batch.addTable(family: family, name: table, owned: owned)
        batch.deleteTable(family: family, name: table)
      }
      batch.addTable(family: family, name: table, owned: owned)
    }
    let inet = NFProto.inet
    addTable(inet)
    let sets = addSets(to: &batch, family: inet, table: table)
    // Of two chains at one priority, the later made comes first: what a translation brings with it,
    // conntrack's confirmation, has to be behind the chains that discard.
    if discards { addMasquerades(to: &batch, table: table) }
    for point in points where ObservationPoint.inetHooks.contains(point.hook) {
      batch.addBaseChain(
        family: inet, table: table, name: point.chain, hook: point.hook.number(family: inet),
        priority: point.priority)
      addRules(to: &batch, family: inet, table: table, point: point, sets: sets)
    }
    if discards {
      addDiscard(to: &batch, table: table)
    } else {
      addMasquerades(to: &batch, table: table)
    }
    if watchesARP { addARP(to: &batch, table: table, owned: owned) }
    let edges = points.filter { $0.hook == .ingress || $0.hook == .egress }
    if !devices.isEmpty, !edges.isEmpty {
      let netdev = NFProto.netdev
      addTable(netdev)
      let sets = addSets(to: &batch, family: netdev, table: table)
      for var point in edges {
        let name = point.chain
        if standsAtAllDevices, devices.count > Self.mostNamed {
          batch.addBaseChainAtAllDevices(
            table: table, name: name, hook: point.hook.number(family: netdev),
            priority: point.priority)
          addRules(to: &batch, family: netdev, table: table, point: point, sets: sets)
          continue
        }
        for (number, start) in stride(from: 0, to: devices.count, by: Self.mostDevices).enumerated()
        {
          if number > 0 { point.chain = "\(name)_\(number + 1)" }
          batch.addBaseChain(
            family: netdev, table: table, name: point.chain,
            hook: point.hook.number(family: netdev), priority: point.priority,
            devices: Array(devices[start..<min(start + Self.mostDevices, devices.count)]))
          addRules(to: &batch, family: netdev, table: table, point: point, sets: sets)
        }
      }
    }
    batch.end()
    return batch
  }

  private func addSets(
    to batch: inout RulesetBatch, family: UInt8, table: String
  ) -> [Int: UInt32] {
    var sets: [Int: UInt32] = [:]
    for version in versions.sorted() {
      let ranges = AddressRange.merged(prefixes, version: version)
      guard ranges.count > Self.mostCompared else { continue }
      sets[version] = batch.addSet(
        family: family, table: table, name: Self.setName(version), ranges: ranges, version: version)
    }
    return sets
  }

  static func setName(_ version: Int) -> String { "targets\(version)" }

  private func addRules(
    to batch: inout RulesetBatch, family: UInt8, table: String, point: ObservationPoint,
    sets: [Int: UInt32]
  ) {
    func add(_ rules: [[RuleExpression]], then: [RuleExpression]) {
      for rule in rules {
        batch.addRule(family: family, table: table, chain: point.chain, rule + then)
      }
    }
    let report = self.report(point)
    let pass: [RuleExpression] = [.verdict(.accept)]
    if point.hook == .egress, let swallowed {
      for version in versions.sorted() {
        add(
          matches(swallowed.marks, version, family: family).map {
            $0 + [.loadOutDevice, .compare(Self.padded(swallowed.device), equal: true)]
          }, then: report.dropLast() + [.verdict(.drop)])
      }
    }
    add(leftOutMatches(family: family), then: pass)
    if prefixes.isEmpty { add([othersByProtocol()], then: pass) }
    for version in versions.sorted() {
      add(markMatches(version, family: family), then: report)
      add(discoveryMatch(version, family: family), then: [.one, .trace, .verdict(.accept)])
    }
    guard !prefixes.isEmpty else { return }
    add(ofOtherVersions(family: family), then: pass)
    let others = othersByAddress(family: family, sets)
    if followsTranslations, point.isBehindConntrack {
      let translated = Self.isTranslated(true)
      add(others.map { $0 + Self.isTranslated(false) }, then: pass)
      add(zip(others, watched).map { $0 + translated + strangers($1, sets[$1]) }, then: pass)
      add([translated], then: report)
    }
    add(others, then: pass)
    add([[]], then: report)
  }

  /// Goes on only with packets of connections that are translated, or are not (`IPS_SRC_NAT`, `IPS_DST_NAT`).
  private static func isTranslated(_ isSo: Bool) -> [RuleExpression] {
    [.loadConnectionStatus, .mask(0x30), .compare(RuleExpression.octets(0), equal: !isSo)]
  }

  /// Goes on only where no address of the packet's connection is one of those that are looked at.
  private func strangers(_ version: Int, _ set: UInt32?) -> [RuleExpression] {
    let others = self.others(version, set: set)
    return [(true, true), (true, false), (false, true), (false, false)].flatMap {
      [.loadConnectionAddress(isSource: $0, isOriginal: $1, version: version)] + others
    }
  }

  /// What reports a packet at a point, and lets it go on.
  private func report(_ point: ObservationPoint) -> [RuleExpression] {
    switch backend {
    case .group(let group):
      (counts ? [.counter] : []) + (traces ? [.one, .trace] : []) + [
        .logToGroup(group, prefix: point.label, snapLength: snapLength), .verdict(.accept),
      ]
    // Lines of the kernel log need no trace, and must not switch on that of iptables-legacy.
    case .kernelLog(let namespace):
      [
        .logToKernel(prefix: "\(namespace.map { "\($0) " } ?? "")\(point.label): "),
        .verdict(.accept),
      ]
    }
  }

  /// A device's name as rules compare it: IFNAMSIZ octets.
  private static func padded(_ device: String) -> [UInt8] {
    let name = device.octets
    return name + Array(repeating: 0, count: max(0, 16 - name.count))
  }

  /// ARP and neighbour discovery decide over whether a next hop is found: they are traced, so that
  /// a rule that drops them is named, and not logged.
  private func discoveryMatch(_ version: Int, family: UInt8) -> [[RuleExpression]] {
    guard !marks.isEmpty else { return [] }
    if version == 4 {
      return family == NFProto.netdev
        ? [[.loadProtocol, .compare([0x08, 0x06], equal: true)]] : []
    }
    return [135, 136].map {
      [
        .loadTransport, .compare([IPProtocol.icmpv6.rawValue], equal: true),
        .loadPayload(base: .transport, offset: 0, length: 1), .compare([$0], equal: true),
      ]
    }
  }

  private func markMatches(_ version: Int, family: UInt8) -> [[RuleExpression]] {
    matches(marks, version, family: family)
  }

  private func matches(
    _ marks: [ProbeMark], _ version: Int, family: UInt8
  ) -> [[RuleExpression]] {
    marks.map { mark in
      isVersion(version, family: family)
        + [.loadTransport, .compare([mark.proto.rawValue], equal: true)]
        + mark.fields.flatMap { field -> [RuleExpression] in
          [
            .loadPayload(
              base: field.isNetwork ? .network : .transport, offset: field.offset,
              length: UInt32(field.least.count)),
            field.least == field.most
              ? .compare(field.least, equal: true) : .within(field.least, field.most),
          ]
        }
    }
  }

  private func leftOutMatches(family: UInt8) -> [[RuleExpression]] {
    guard let leftOut, versions.contains(leftOut.client.family) else { return [] }
    let version = leftOut.client.family
    let (offset, length): (UInt32, Int) = version == 4 ? (12, 4) : (8, 16)
    return leftOut.ways.map { addresses, ports in
      isVersion(version, family: family) + [
        .loadTransport, .compare([IPProtocol.tcp.rawValue], equal: true),
        .loadPayload(base: .network, offset: offset, length: UInt32(length)),
        .compare(Array(addresses.prefix(length)), equal: true),
        .loadPayload(base: .network, offset: offset + UInt32(length), length: UInt32(length)),
        .compare(Array(addresses.suffix(length)), equal: true),
        .loadPayload(base: .transport, offset: 0, length: 4), .compare(ports, equal: true),
      ]
    }
  }

  /// The netdev family has no family of its own packets, only their EtherType.
  private func isVersion(_ version: Int, family: UInt8) -> [RuleExpression] {
    family == NFProto.netdev
      ? [.loadProtocol, .compare(Self.etherType(version), equal: true)]
      : [.loadFamily, .compare([Self.family(version)], equal: true)]
  }

  /// The IP versions of which addresses are looked at.
  private var watched: [Int] {
    versions.filter { version in prefixes.contains { $0.address.family == version } }.sorted()
  }

  /// Packets of other IP versions are nobody's that is looked at. Where there are two, IP has no others.
  private func ofOtherVersions(family: UInt8) -> [[RuleExpression]] {
    if family == NFProto.netdev {
      return [[.loadProtocol] + watched.map { .compare(Self.etherType($0), equal: false) }]
    }
    if watched.count > 1 { return [] }
    return [[.loadFamily] + watched.map { .compare([Self.family($0)], equal: false) }]
  }

  /// Which packets are nobody's that is looked at, as a machine's own traffic is all the time: the first rules that
  /// such a packet meets let it go, and what is left is to be reported. One of each version that is watched.
  private func othersByAddress(family: UInt8, _ sets: [Int: UInt32]) -> [[RuleExpression]] {
    watched.map { version in
      let (offsets, length): ([UInt32], UInt32) = version == 4 ? ([12, 16], 4) : ([8, 24], 16)
      let others = self.others(version, set: sets[version])
      return (watched.count < 2 ? [] : isVersion(version, family: family))
        + offsets.flatMap { [.loadPayload(base: .network, offset: $0, length: length)] + others }
    }
  }

  /// Ranges of addresses that are compared one by one; a set of more is faster.
  private static let mostCompared = 6

  /// Goes on only if the address in the register is none of those that are looked at.
  private func others(_ version: Int, set: UInt32?) -> [RuleExpression] {
    if let set { return [.lookup(set: Self.setName(version), id: set, isIn: false)] }
    return AddressRange.merged(prefixes, version: version).map { range in
      let (first, last) = (range.first.bytes, range.last.bytes)
      let common = zip(first, last).prefix { $0 == $1 }.count
      // Whole octets are what the kernel compares fastest.
      let isWhole =
        common > 0 && first[common...].allSatisfy { $0 == 0 }
        && last[common...].allSatisfy { $0 == 0xff }
      return isWhole
        ? .compare(Array(first[..<common]), equal: false) : .outside(first, last)
    }
  }

  /// Packets of protocols that no mark is of.
  private func othersByProtocol() -> [RuleExpression] {
    var known = Set(marks.map(\.proto.rawValue))
    if versions.contains(6) { known.insert(IPProtocol.icmpv6.rawValue) }
    return [.loadTransport] + known.sorted().map { .compare([$0], equal: false) }
  }

  private static func etherType(_ version: Int) -> [UInt8] {
    version == 4 ? [0x08, 0x00] : [0x86, 0xdd]
  }

  private static func family(_ version: Int) -> UInt8 {
    version == 4 ? NFProto.ipv4 : NFProto.ipv6
  }

  /// Behind everything that rules can do, and before conntrack's confirmation, made earlier at the same priority.
  /// IPv6 confirms connections at INT_MAX - 1, and what was made before at that place comes behind what was
  /// made later: it has to be discarded before that.
  private static let beforeConfirmation = Int32.max - 2

  private func addDiscard(to batch: inout RulesetBatch, table: String) {
    let inet = NFProto.inet
    for hook in [Hook.postrouting, .input] {
      let chain = "discard_\(hook.rawValue)"
      batch.addBaseChain(
        family: inet, table: table, name: chain, hook: hook.number(family: inet),
        priority: Self.beforeConfirmation)
      for version in versions.sorted() {
        guard
          let probe = markMatches(version, family: inet).first
        else { continue }
        batch.addRule(family: inet, table: table, chain: chain, probe + [.verdict(.drop)])
      }
    }
  }

  /// ARP has hooks of its own, NF_ARP_IN and NF_ARP_OUT.
  private func addARP(to batch: inout RulesetBatch, table: String, owned: Bool) {
    batch.addTable(family: NFProto.arp, name: table, owned: owned)
    for (hook, name) in [(UInt32(0), "input"), (1, "output")] {
      batch.addBaseChain(
        family: NFProto.arp, table: table, name: name, hook: hook, priority: .min)
      batch.addRule(
        family: NFProto.arp, table: table, chain: name, [.one, .trace, .verdict(.accept)])
    }
  }

  /// NAT chains only order among themselves: ours comes last, the user's rules decide first.
  private func addMasquerades(to batch: inout RulesetBatch, table: String) {
    guard !masquerade.isEmpty else { return }
    let inet = NFProto.inet
    batch.addBaseChain(
      family: inet, table: table, name: "masquerade", type: "nat",
      hook: Hook.postrouting.number(family: inet), priority: 32767)
    for (index, (source, device)) in masquerade.enumerated() {
      let version = source.address.family
      let set = index == 0 ? "masqueraded" : "masqueraded_\(index + 1)"
      let id = batch.addSet(
        family: inet, table: table, name: set, ranges: [AddressRange(source)], version: version)
      batch.addRule(
        family: inet, table: table, chain: "masquerade",
        [
          .loadFamily, .compare([Self.family(version)], equal: true),
          .loadPayload(
            base: .network, offset: version == 4 ? 12 : 8, length: version == 4 ? 4 : 16),
          .lookup(set: set, id: id), .loadOutDevice,
          .compare(Self.padded(device), equal: false),
          .masquerade,
        ])
    }
  }
}
