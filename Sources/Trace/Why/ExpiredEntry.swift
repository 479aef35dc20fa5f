internal import Wire

/// Conntrack's entry of a request, which it had forgotten when the answer came.
struct ExpiredEntry {
  /// How long it keeps one that nothing answered.
  let setting: Setting
  /// That time.
  let seconds: UInt64
  /// How long after the request the answer came, in tenths of a second.
  private let tenths: UInt64

  private static let settings: [(proto: IPProtocol, setting: Setting, usual: UInt64)] = [
    (.udp, Setting("net/netfilter/nf_conntrack_udp_timeout"), 30),
    (.tcp, Setting("net/netfilter/nf_conntrack_tcp_timeout_syn_sent"), 120),
    (.icmp, Setting("net/netfilter/nf_conntrack_icmp_timeout"), 30),
    (.icmpv6, Setting("net/netfilter/nf_conntrack_icmpv6_timeout"), 30),
  ]

  /// What a cause that looks at it needs.
  static let needs: [Need] = settings.map { .setting($0.setting) }

  /// nil where the entry was still there, or that is not known.
  init?(ofAnswer lost: LostPacket) {
    guard let request = lost.request?.journey, let asked = request.hops.last,
      let setting = Self.settings.first(where: { $0.proto == lost.packet.proto })?.setting,
      let seconds = lost.value(of: setting).flatMap({ UInt64($0) })
    else { return nil }
    let gap = lost.journey.start.since(request.start.later(by: asked.time))
    guard gap / 1_000_000_000 >= seconds else { return nil }
    self.setting = setting
    self.seconds = seconds
    tenths = gap / 100_000_000
  }

  /// Behind a sentence about the answer.
  var words: String {
    "it came \(tenths / 10).\(tenths % 10) s after the request, which conntrack had forgotten by then (\(setting.name) "
      + "is \(seconds))"
  }

  /// The time that is usual, where that is enough.
  var remedy: Command? {
    guard let usual = Self.settings.first(where: { $0.setting == setting }),
      usual.usual * 10 > tenths
    else { return nil }
    let name: Command =
      switch usual.proto {
      case .udp: "udp_timeout"
      case .tcp: "tcp_timeout_syn_sent"
      case .icmp: "icmp_timeout"
      default: "icmpv6_timeout"
      }
    return "sysctl -w net.netfilter.nf_conntrack_\(name)=\(usual.usual)"
  }
}
