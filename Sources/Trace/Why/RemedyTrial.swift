/// A remedy with which the same probe got through in a copy of the network namespace: it was lost before. Where it was lost
/// for something else then, nothing is told, for what stops a probe there may be the copy's fault; where every remedy left it to
/// what it was lost for, that is.
package struct RemedyTrial: Sendable, Equatable {
  /// The command.
  package var remedy: String
  /// What the probe met after the remedy, one after the other, each with its own.
  package var obstacles: [Obstacle]
  /// Whether the probe was refused with it as well, and who asked was told so: it was lost before.
  package var isRefused: Bool
  /// In which of the places where the probe was watched, counted from 0: it comes in there as it did. The command is for a shell
  /// in that one.
  package var place = 0
  /// What is not in the copy as it is in the original, as parts of sentences: what came of the trial is told with it.
  package var differences: [String]
  /// Whether it was lost with it for the same reason, and with all others that are known as well.
  package var isVain: Bool

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
  package init(
    remedy: String, obstacles: [Obstacle] = [], isRefused: Bool = false, isVain: Bool = false,
    differences: [String] = []
  ) {
    self.remedy = remedy
    self.obstacles = obstacles
    self.isRefused = isRefused
    self.isVain = isVain
    self.differences = differences
  }

  /// The trial as JSON text.
  package var json: String { asJSON.line }

  /// The trial in JSON text; nil when it is none.
  package init?(json: String) { self.init(text: json) }
}

extension RemedyTrial: JSONObject {
  static var blank: RemedyTrial { RemedyTrial(remedy: "") }

  mutating func members(_ json: inout JSONMembers) {
    json.member("obstacles", &obstacles)
    var refused = isRefused ? true : nil
    json.member("refused", &refused)
    isRefused = refused ?? false
    json.member("remedy", &remedy)
    var other = place == 0 ? nil : place
    json.member("place", &other)
    place = other ?? 0
    var differing = differences.isEmpty ? nil : Optional(differences)
    json.member("differences", &differing)
    differences = differing ?? []
    var vain = isVain ? true : nil
    json.member("vain", &vain)
    isVain = vain ?? false
  }

  /// The same with commands for a shell where all of it was asked; nil where no shell there takes them.
  func told(of site: Site?) -> RemedyTrial? {
    guard let site else { return self }
    func told(_ command: String) -> String? {
      Command(confined: command).flatMap(site.reached)?.text
    }
    guard let remedy = told(remedy) else { return nil }
    var trial = self
    trial.remedy = remedy
    for index in obstacles.indices {
      trial.obstacles[index].remedy = obstacles[index].remedy.flatMap(told)
    }
    return trial
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
