import Testing

@testable import Trace

/// What rules refuse with, as their tools write them.
struct RejectionTests {
  @Test(arguments: [
    ("tcp dport 22 reject with tcp reset comment \"no\"", "tcp-reset"),
    ("udp dport 9 reject", "port-unreachable"), ("reject comment \"closed\"", "port-unreachable"),
    ("reject with icmp host-prohibited", "host-prohibited"),
    ("reject with icmpx type admin-prohibited", "admin-prohibited"),
    ("counter packets 1 bytes 2 reject with icmpv6 no-route", "no-route"),
    ("-A FORWARD -j REJECT --reject-with icmp-proto-unreachable", "prot-unreachable"),
    ("-A FORWARD -j REJECT --reject-with icmp6-adm-prohibited", "admin-prohibited"),
    ("-A FORWARD -j REJECT --reject-with tcp-reset", "tcp-reset"), ("tcp dport 22 drop", nil),
  ]) func ofARule(_ text: String, _ name: String?) {
    #expect(Rejection(inRule: text)?.name == name)
  }
}
