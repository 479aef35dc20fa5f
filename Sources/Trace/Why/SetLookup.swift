internal import Wire

/// A set or a map of nft that a rule looks packets up in.
package struct SetLookup: Sendable, Equatable {
  /// Its name.
  package let name: String
  /// What is looked up, in nft's words: "ip saddr".
  private let fields: [String]
  /// Whether it says for each of its elements what becomes of a packet.
  let isMap: Bool

  /// The first in a rule's text; nil where it has none, or asks that a packet is not in it, or is put there by it.
  package init?(_ text: String) {
    let words = text.split(separator: " ").map(String.init)
    guard let place = words.firstIndex(where: Self.isName) else { return nil }
    self.init(words, at: place)
  }

  /// All in a rule's text, but for such.
  static func all(_ text: String) -> [SetLookup] {
    let words = text.split(separator: " ").map(String.init)
    return words.indices.filter { isName(words[$0]) }.compactMap { SetLookup(words, at: $0) }
  }

  /// All of which a rule's text asks that a packet is not in them.
  static func negated(_ text: String) -> [SetLookup] {
    var words = text.split(separator: " ").map(String.init)
    let places = words.indices.dropFirst().filter { isName(words[$0]) && words[$0 - 1] == "!=" }
    return places.reversed().compactMap { place in
      words.remove(at: place - 1)
      return SetLookup(words, at: place - 1)
    }
  }

  private static func isName(_ word: String) -> Bool { word.hasPrefix("@") && word.count > 1 }

  private init?(_ words: [String], at place: Int) {
    guard place > 0 else { return nil }
    isMap = words[place - 1] == "vmap"
    var end = isMap ? place - 1 : place
    var fields: [String] = []
    repeat {
      // The longer one first: "meta l4proto" and "l4proto" are the same.
      guard
        let length = [2, 1].first(where: {
          end >= $0 && Self.known.contains(words[(end - $0)..<end].joined(separator: " "))
        })
      else { return nil }
      fields.insert(words[(end - length)..<end].joined(separator: " "), at: 0)
      end -= length
      guard end > 1, words[end - 1] == "." else { break }
      end -= 1
    } while true
    self.fields = fields
    name = String(words[place].dropFirst())
  }

  private static let known: Set<String> = [
    "ip saddr", "ip daddr", "ip6 saddr", "ip6 daddr", "iifname", "oifname", "iif", "oif",
    "tcp sport", "tcp dport", "udp sport", "udp dport", "sctp sport", "sctp dport", "th sport",
    "th dport", "ip protocol", "meta l4proto", "meta mark",
  ]

  /// What is looked up of a packet as it was seen at a hop, in nft's words; nil where that is not to be seen there.
  package func key(of hop: Hop) throws(Word.Unspeakable) -> Command? {
    var words: [Command] = []
    for field in fields {
      guard let word = try Self.word(field, hop) else { return nil }
      words.append(word)
    }
    return words.joined(separator: " . ")
  }

  private static func word(_ field: String, _ hop: Hop) throws(Word.Unspeakable) -> Command? {
    let packet = hop.packet
    func has(_ family: Int) -> Bool { packet.source.family == family }
    func ports(_ proto: IPProtocol) -> Bool { packet.proto == proto }
    switch field {
    case "ip saddr": return has(4) ? "\(packet.source)" : nil
    case "ip daddr": return has(4) ? "\(packet.destination)" : nil
    case "ip6 saddr": return has(6) ? "\(packet.source)" : nil
    case "ip6 daddr": return has(6) ? "\(packet.destination)" : nil
    case "iifname", "iif":
      guard let device = hop.inDevice else { return nil }
      return "\(try Word.nftDevice(device))"
    case "oifname", "oif":
      guard let device = hop.outDevice else { return nil }
      return "\(try Word.nftDevice(device))"
    case "tcp sport" where ports(.tcp), "udp sport" where ports(.udp),
      "sctp sport" where ports(.sctp), "th sport":
      return packet.sourcePort.map { "\($0)" }
    case "tcp dport" where ports(.tcp), "udp dport" where ports(.udp),
      "sctp dport" where ports(.sctp), "th dport":
      return packet.destinationPort.map { "\($0)" }
    case "ip protocol" where !has(4): return nil
    case "meta l4proto", "ip protocol": return "\(packet.proto.rawValue)"
    case "meta mark": return "\(hop.mark)"
    default: return nil
    }
  }
}

/// An element of a set or a map of nft that has a packet.
package struct SetElement: Sendable, Equatable {
  /// NFPROTO_… of the table.
  package var family: UInt8
  /// The table's name.
  package var table: String
  /// The name of the set.
  package var set: String
  /// The element as nft lists it: "10.0.0.0/8 timeout 1h comment \"guests\"".
  package var text: String
  /// Whether rules may put elements into the set.
  package var isDynamic: Bool

  /// An element of these fields.
  package init(family: UInt8, table: String, set: String, text: String, isDynamic: Bool) {
    self.isDynamic = isDynamic
    self.family = family
    self.table = table
    self.set = set
    self.text = text
  }
}

extension SetElement: JSONObject {
  static var blank: SetElement {
    SetElement(family: 0, table: "", set: "", text: "", isDynamic: false)
  }

  mutating func members(_ json: inout JSONMembers) {
    json.member("family", &family)
    json.member("isDynamic", &isDynamic)
    json.member("set", &set)
    json.member("table", &table)
    json.member("text", &text)
  }
}
