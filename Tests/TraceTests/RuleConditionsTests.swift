import Testing
import Wire

@testable import Trace

/// What rules ask for, in the words that their tools list them in.
struct RuleConditionsTests {
  /// A SYN that comes in by eth0, for port 5432 of what is behind lan0.
  private static func syn(_ state: Connection.State? = .new) -> SeenPacket {
    let packet = Packet(
      source: IPAddress("203.0.113.2")!, destination: IPAddress("192.168.10.2")!, proto: .tcp,
      transport: .tcp(
        TCPHeader(sourcePort: 40000, destinationPort: 5432, sequence: 9, flags: .syn)),
      payload: [])
    return SeenPacket(
      packet: packet, asked: packet.destination, input: "eth0", output: "lan0", state: state)
  }

  /// Its answer.
  private static func answer() -> SeenPacket {
    let packet = syn().packet.answer
    return SeenPacket(
      packet: packet, asked: packet.destination, input: "lan0", output: "eth0",
      state: .established)
  }

  /// A rule that is for others is no reason.
  @Test(arguments: [
    ("icmp type echo-request limit rate 5/second accept", "ICMP"),
    ("tcp dport 22 limit rate 5/minute accept", "what is for port 22"),
    ("tcp dport { 22, 80-443 } accept", "what is for port 22, 80-443"),
    ("udp dport 5432 accept", "UDP"),
    ("-A INPUT -p icmp -m icmp --icmp-type 8 -m limit --limit 1/sec -j ACCEPT", "ICMP"),
    ("-A INPUT -p tcp -m multiport --dports 80,443 -j ACCEPT", "what is for port 80, 443"),
    ("-A INPUT -p tcp -m tcp ! --dport 5432 -j ACCEPT", "what is for port another than 5432"),
    ("iifname \"lan0\" tcp dport 5432 limit rate 1/hour accept", "what comes in by lan0"),
    ("ct state established,related accept", "packets whose connection is established, related"),
    (
      "-A F -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
      "packets whose connection is RELATED, ESTABLISHED"
    ),
    ("tcp dport 5432 limit rate 1/hour accept comment \"udp dport 53 drop\"", nil),
    ("tcp dport != 22 accept", nil), ("tcp dport @open accept", nil),
    ("meta l4proto { tcp, udp } limit rate 5/second accept", nil),
    ("ct state new limit rate 5/second accept", nil),
  ])
  func differences(_ rule: String, _ difference: String?) {
    #expect(RuleConditions(rule).difference(Self.syn()) == difference)
  }

  /// What lets the answer through for certain, and what is not to be seen.
  @Test(arguments: [
    ("ct state established,related accept", true),
    ("ct state { established, related } counter packets 3 bytes 180 accept", true),
    ("ct state established accept comment \"answers\"", true),
    ("ct state vmap { invalid : drop, established : accept, related : accept }", true),
    ("ct state vmap { established : drop, new : accept }", false),
    ("-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", true),
    ("-A FORWARD -m state --state ESTABLISHED -j ACCEPT", true),
    ("-A FORWARD -o eth0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", true),
    ("-A FORWARD -o lan0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", false),
    ("-A FORWARD -i lan0 ! -o lan0 -j ACCEPT", true),
    ("iifname \"lan0\" accept", true), ("iifname != \"lan0\" accept", false),
    ("ip saddr 192.168.10.0/24 tcp sport 5432 accept", true),
    ("ip saddr @lan ct state established accept", false),
    ("ct state new accept", false), ("ct state established drop", false),
    ("ct state established limit rate 1/second accept", false),
    ("ct state established jump more", false), ("ct mark 7 accept", false),
  ])
  func answers(_ rule: String, _ isAccepted: Bool) {
    #expect(RuleConditions(rule).surelyAccepts(Self.answer()) == isAccepted)
  }

  @Test func otherEnds() {
    #expect(RuleConditions("goto nothing").mayStop(Self.answer()))
    #expect(RuleConditions("-A F -s 192.168.10.2/32 -j DROP").mayStop(Self.answer()))
    #expect(!RuleConditions("ct state invalid drop").mayStop(Self.answer()))
    #expect(!RuleConditions("-A F -j DOCKER-USER").mayStop(Self.answer()))
  }
}
