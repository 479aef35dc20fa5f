/// What came of a remedy that was run in a copy of the network namespace, where the same probe was sent before and after.
package struct RemedyTrial: Sendable, Equatable {
  /// The command.
  package var remedy: String
  /// Whether the probe got through in the end: after the remedy alone, or after those of the obstacles as well.
  package var isThrough: Bool
  /// What the probe met after the remedy, one after the other; the same cause again where the remedy does not help.
  package var obstacles: [Obstacle]

  /// What keeps a probe from getting through.
  package struct Obstacle: Sendable, Equatable {
    /// The finding's id.
    package var id: String
    /// Its sentence.
    package var summary: String
    /// Its remedy, if there is one.
    package var remedy: String?

    /// An obstacle of these words.
    package init(id: String, summary: String, remedy: String? = nil) {
      self.id = id
      self.summary = summary
      self.remedy = remedy
    }
  }

  /// A trial that came to this.
  package init(remedy: String, isThrough: Bool, obstacles: [Obstacle] = []) {
    self.remedy = remedy
    self.isThrough = isThrough
    self.obstacles = obstacles
  }

  /// The trial as JSON text.
  package var json: String { asJSON.line }

  /// The trial in JSON text; nil when it is none.
  package init?(json: String) { self.init(text: json) }

  /// Whether it changed something: the probe got further than before.
  package func helps(against cause: Finding) -> Bool {
    isThrough
      || obstacles.first.map { $0.id != cause.id.rawValue || $0.summary != cause.summary } ?? false
  }
}

extension RemedyTrial: JSONObject {
  static var blank: RemedyTrial { RemedyTrial(remedy: "", isThrough: false) }

  mutating func members(_ json: inout JSONMembers) {
    json.member("obstacles", &obstacles)
    json.member("remedy", &remedy)
    json.member("through", &isThrough)
  }
}

extension RemedyTrial.Obstacle: JSONObject {
  static var blank: RemedyTrial.Obstacle { RemedyTrial.Obstacle(id: "", summary: "") }

  mutating func members(_ json: inout JSONMembers) {
    json.member("id", &id)
    json.member("remedy", &remedy)
    json.member("summary", &summary)
    // Whoever wrote the session: what is printed to be pasted is a command of the kind that nftrace makes.
    remedy = remedy.flatMap { RemedyTrial.isConfined($0) ? $0 : nil }
  }
}

extension RemedyTrial {
  /// Whether a remedy changes nothing but the network namespace it is run in: commands of these programs, one after
  /// the other. What a firewall's own program writes down, or says to a daemon, would be for good.
  package static func isConfined(_ remedy: String) -> Bool {
    var isQuoted = false
    let isPlain = remedy.unicodeScalars.allSatisfy { scalar in
      if scalar == "'" { isQuoted.toggle() }
      return (0x20..<0x7f).contains(scalar.value)
        && (isQuoted || !";|<>$`(\\".unicodeScalars.contains(scalar))
    }
    return isPlain && !isQuoted
      && remedy.parts(between: " && ").allSatisfy { part in
        let words = part.split(separator: " ")
        guard let program = words.first, programs.contains(String(program)) else { return false }
        switch program {
        // It can be told to go elsewhere.
        case "ip", "bridge", "tc":
          return !words.contains { ["netns", "-n", "-netns", "-all", "-b", "-batch"].contains($0) }
        case "sysctl": return words.dropFirst().allSatisfy { $0.hasPrefix("net.") || $0 == "-w" }
        default: return true
        }
      }
  }

  private static let programs: Set<String> = [
    "nft", "iptables", "ip6tables", "iptables-legacy", "ip6tables-legacy", "iptables-nft",
    "ip6tables-nft", "ip", "bridge", "sysctl", "conntrack", "tc", "ebtables", "arptables",
  ]
}

extension String {
  /// What stands between these separators.
  fileprivate func parts(between separator: String) -> [Substring] {
    var parts: [Substring] = []
    var rest = self[...]
    while let range = rest.firstRange(of: separator) {
      parts.append(rest[..<range.lowerBound])
      rest = rest[range.upperBound...]
    }
    return parts + [rest]
  }
}

extension PingStory {
  /// The remedy of what a probe was lost for, which nobody has tried yet; nil where there is none, or it is for another
  /// network namespace, or the probe cannot be sent again.
  package func remedyToTry(_ sequence: Int) -> String? {
    guard plan.data == nil, !plan.dryRun, stories.count == 1, plan.like == nil,
      story.header?.isRehearsal != true, isLost(sequence)
    else { return nil }
    var preview = self
    let cause = preview.settle(sequence).findings.first {
      $0.severity == .error && $0.remedy != nil
    }
    guard let remedy = cause?.remedy?.text, cause?.netns == nil, trials[remedy] == nil,
      RemedyTrial.isConfined(remedy)
    else {
      return nil
    }
    return remedy
  }

  /// Notes what came of it.
  mutating func note(_ trial: RemedyTrial) { trials[trial.remedy] = trial }

  /// A finding with what came of its remedy. One that does not help is none.
  func tried(_ finding: Finding) -> Finding {
    guard let remedy = finding.remedy?.text, let trial = trials[remedy] else { return finding }
    var finding = finding
    finding.isRehearsed = trial.helps(against: finding)
    if finding.isRehearsed == true {
      finding.obstacles = trial.obstacles
    } else {
      finding.remedy = nil
    }
    return finding
  }
}
