/// A tc filter: `struct tcmsg`, `TCA_…` and `TCA_BPF_…` of <linux/rtnetlink.h> and <linux/pkt_cls.h>.
package struct FilterMessage: Sendable, Equatable {
  /// Its kind: "bpf", "u32", "flower".
  package var kind: String
  /// What its program is called, of those that have one.
  package var program: String?
  /// Its preference, by which tc(8) names it, in the order in which filters are asked.
  package var preference: UInt32
  /// Where its first action of that kind gives packets instead, if it has one.
  package var redirect: Redirect?

  /// An action that gives packets to another interface: `struct tc_mirred` and `TCA_MIRRED_…` of
  /// <linux/tc_act/tc_mirred.h>.
  package struct Redirect: Sendable, Equatable {
    /// Index of that interface.
    package var interface: UInt32
    /// Hundredths of a second since a packet met it.
    package var idle: UInt64
  }

  /// `TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)`: what comes in, of clsact and of ingress.
  package static let ingress: UInt32 = 0xffff_fff2
  /// `TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS)`: what leaves.
  package static let egress: UInt32 = 0xffff_fff3

  private enum Attribute {
    static let kind: UInt16 = 1
    static let options: UInt16 = 2
    static let programName: UInt16 = 7
    static let actionKind: UInt16 = 1
    static let actionOptions: UInt16 = 2
    static let mirredTimes: UInt16 = 1
    static let mirredParameters: UInt16 = 2
  }

  /// Where a filter of a kind has its actions: `TCA_U32_ACT` and its like.
  private static let actions: [String: UInt16] = [
    "basic": 3, "bpf": 1, "cgroup": 1, "flow": 9, "flower": 3, "fw": 4, "matchall": 2, "route": 6,
    "u32": 7,
  ]

  /// What asks for the filters of an interface at one of these places.
  package static func question(of interface: UInt32, parent: UInt32) -> NetlinkMessage {
    var payload: [UInt8] = [0, 0, 0, 0]
    payload.append(littleEndian: interface)
    payload.append(littleEndian: UInt32(0))
    payload.append(littleEndian: parent)
    payload.append(littleEndian: UInt32(0))
    return NetlinkMessage(
      type: RouteMessageType.getFilter, flags: NetlinkMessage.dumpRequest, payload: payload)
  }

  /// The filter in an `RTM_NEWTFILTER`.
  package init(parsing message: NetlinkMessage) throws(WireError) {
    try message.need(RouteMessageType.newFilter...RouteMessageType.newFilter, "filter")
    let attributes = try RouteAttributes(message, after: QdiscMessage.headerLength)
    kind = attributes.string(Attribute.kind) ?? ""
    var header = ByteReader(message.payload.span)
    try header.skip(16)
    let info: UInt32 = try header.littleEndian()
    preference = info >> 16
    let options = try attributes.nested(Attribute.options)
    program = kind == "bpf" ? options?.string(Attribute.programName) : nil
    let actions = try Self.actions[kind].flatMap { type throws(WireError) in
      try options?.nested(type)
    }
    for action in actions?.all ?? [] where redirect == nil {
      redirect = try Self.redirect(RouteAttributes(all: action.nested(), start: 0))
    }
  }

  private static func redirect(_ action: RouteAttributes) throws(WireError) -> Redirect? {
    guard action.string(Attribute.actionKind) == "mirred",
      let options = try action.nested(Attribute.actionOptions),
      let parameters = options.all[type: Attribute.mirredParameters]?.value
    else { return nil }
    var reader = ByteReader(parameters.span)
    // struct tc_gen, then what it does: TCA_EGRESS_REDIR, TCA_INGRESS_REDIR.
    try reader.skip(20)
    guard [1, 3].contains(try reader.littleEndian() as UInt32) else { return nil }
    let interface: UInt32 = try reader.littleEndian()
    // struct tcf_t: when it was made, and when it was used last.
    guard let times = options.all[type: Attribute.mirredTimes]?.value else { return nil }
    var clock = ByteReader(times.span)
    try clock.skip(8)
    return Redirect(interface: interface, idle: try clock.littleEndian())
  }

  /// "bpf drop.o:[classifier]", "u32".
  package var name: String { program.map { "\(kind) \($0)" } ?? kind }
}
