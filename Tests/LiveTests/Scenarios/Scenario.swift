/// One way to break (or to build differently) the standard topology, and what an honest tool must
/// say about a probe that is sent through it.
///
/// The texts may use the words of `ScenarioTopology.words`: "$DST" is the destination in the
/// scenario's own family, so that one text does for IPv4 and IPv6.
struct Scenario: Sendable, CustomStringConvertible {
  /// Also the name of its recorded session.
  var name: String
  var version: Version
  var nat: NAT = .nft
  /// Shell lines, run in the router as root; the first failure ends them.
  var router = ""
  /// The same in the server, before those of the router.
  var server = ""
  /// The way in, as `nftrace ping` is told it.
  var entrance = ["--tun", "tun7"]
  /// Arguments of `nftrace ping` besides the way in, the timeout and the destination.
  var arguments: [String] = []
  var destination = "$DST"
  /// Seconds to wait for an answer.
  var timeout = "0.3"
  /// Shell lines, run in the router while a setup records. What was recorded is judged then; no probe
  /// is sent. "$ATSERVER" and "$ATCLIENT" before a command run it there.
  var traffic: String?

  /// What happens, whatever is said about it.
  var facts: Facts
  /// What must be said about it.
  var said = Diagnosis()

  /// Why it cannot be produced yet; it is listed and not run.
  var pending: String?
  /// A shell condition, tried in the router: without it the kernel or the machine cannot do this.
  var needs: String?

  var description: String { name }

  enum Version: Int, Sendable, CaseIterable {
    case v4 = 4
    case v6 = 6
  }

  /// Who translates the source on the way out of the router.
  enum NAT: Sendable {
    case none, nft, iptables, legacy
  }

  /// What can be seen without understanding it.
  struct Facts: Sendable, Equatable {
    /// As INTERFACE.md has it.
    var outcome: String
    /// Where the last packet of the exchange that is not an ICMP error was last seen: "request
    /// forward", "reply egress". Nil where that is not the point.
    var lastSeen: String?

    static let replied = Facts(outcome: "replied", lastSeen: nil)
    /// Of traffic that a setup recorded.
    static let recorded = Facts(outcome: "recorded", lastSeen: nil)
    static func lost(_ lastSeen: String) -> Facts { Facts(outcome: "lost", lastSeen: lastSeen) }
    static func rejected(_ lastSeen: String) -> Facts {
      Facts(outcome: "rejected", lastSeen: lastSeen)
    }
    /// This host's own kernel would not send it.
    static func refused(_ lastSeen: String) -> Facts {
      Facts(outcome: "local-error", lastSeen: lastSeen)
    }
  }
}

/// What the findings must be.
struct Diagnosis: Sendable {
  /// The ids of severity error: these and no others.
  var errors: [String] = []
  /// The ids of severity warning: these and no others.
  var warnings: [String] = []
  /// Ids of severity note that must be there.
  var notes: [String] = []
  /// Notes that may be there. That NAT rules see the first packet of a flow only is true of every
  /// reply through a translation.
  var mayNote: Set<String> = ["nat-once-per-flow"]
  /// The place of the deciding rule, in one of the errors.
  var at: Place?
  /// What the summary, the evidence or the remedy of the errors must name, together: a sysctl, a
  /// route, an address. In capitals or not.
  var mentions: [String] = []
  var remedy: Remedy = .optional
  /// What `errors` are where the kernel may not be asked for its drop reasons, if they are others:
  /// less is known then, and nothing wrong may be said.
  var errorsUnasked: [String]?
  /// Whether certainty would be too much: the cause is inferred from what was not seen.
  var isInferred = false

  /// Where a rule stands; the rule is a part of its text, nil where there is none to tell.
  struct Place: Sendable {
    var hook: String
    var table: String
    var chain: String
    var rule: String?

    init(_ hook: String, _ table: String, _ chain: String, _ rule: String? = nil) {
      self.hook = hook
      self.table = table
      self.chain = chain
      self.rule = rule
    }
  }

  /// What the remedy must be, and do.
  enum Remedy: Sendable {
    /// No command helps.
    case none
    /// A command is not demanded; if there is one it must get the same probe through.
    case optional
    /// A command that gets the same probe through.
    case cures
    /// A command that need not help here, where nobody is there to answer.
    case command
    /// A command after which these errors are found; their remedy gets the probe through.
    case uncovers([String])
  }
}

extension Scenario {
  /// The scenario with every word replaced by what it stands for in its family.
  var spelledOut: Scenario {
    let words = ScenarioTopology.words(version)
    func spell(_ text: String) -> String { words.spell(text) }
    var result = self
    result.router = spell(router)
    result.server = spell(server)
    result.traffic = traffic.map(spell)
    result.entrance = entrance.map(spell)
    result.arguments = arguments.map(spell)
    result.destination = spell(destination)
    result.said.mentions = said.mentions.map(spell)
    result.needs = needs.map(spell)
    if let at = said.at {
      result.said.at = .init(spell(at.hook), spell(at.table), spell(at.chain), at.rule.map(spell))
    }
    return result
  }

  /// Replaces words that are known only when the namespaces are there.
  mutating func spell(_ values: [(String, String)]) {
    let words = ScenarioTopology.Words(values: values)
    router = words.spell(router)
    server = words.spell(server)
    traffic = traffic.map(words.spell)
  }

  /// The same for IPv4 and IPv6, with the family in the name.
  static func both(_ name: String, _ body: (Version) -> Scenario) -> [Scenario] {
    Version.allCases.map { version in
      var scenario = body(version)
      scenario.name = "\(name)-\(version)"
      scenario.version = version
      return scenario
    }
  }

  /// A healthy setup: a reply comes, and nothing is found but notes.
  static func healthy(
    _ name: String, _ version: Version = .v4, nat: NAT = .none, server: String = "",
    needs: String? = nil, notes: [String] = [], mayNote: Set<String> = ["nat-once-per-flow"],
    arguments: [String] = [], destination: String = "$DST", router: String
  ) -> Scenario {
    Scenario(
      name: "healthy-\(name)", version: version, nat: nat, router: router, server: server,
      arguments: arguments, destination: destination, facts: .replied,
      said: Diagnosis(notes: notes, mayNote: mayNote, remedy: .none), needs: needs)
  }

  /// One that needs what nftrace cannot do yet.
  static func pending(_ name: String, _ errors: [String], needs reason: String) -> Scenario {
    Scenario(
      name: name, version: .v4, facts: .replied, said: Diagnosis(errors: errors), pending: reason)
  }

  /// Every scenario there is.
  static let all: [Scenario] =
    routing + arrival + forwarding + rules + legacy + replies + translation + departure + delivery
    + notes + ports + invalid + local + arriving + recorded + combinations + lookalikes
    + healthySetups
    + pendingScenarios
}
