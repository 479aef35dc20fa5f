/// A tc filter: `struct tcmsg`, `TCA_…` and `TCA_BPF_…` of <linux/rtnetlink.h> and <linux/pkt_cls.h>.
package struct FilterMessage: Sendable, Equatable {
  /// Its kind: "bpf", "u32", "flower".
  package var kind: String
  /// What its program is called, of those that have one.
  package var program: String?

  /// `TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)`: what comes in, of clsact and of ingress.
  package static let ingress: UInt32 = 0xffff_fff2
  /// `TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS)`: what leaves.
  package static let egress: UInt32 = 0xffff_fff3

  private enum Attribute {
    static let kind: UInt16 = 1
    static let options: UInt16 = 2
    static let programName: UInt16 = 7
  }

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
    program =
      kind == "bpf" ? try attributes.nested(Attribute.options)?.string(Attribute.programName) : nil
  }

  /// "bpf drop.o:[classifier]", "u32".
  package var name: String { program.map { "\(kind) \($0)" } ?? kind }
}
