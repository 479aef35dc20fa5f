internal import Wire

/// What nftrace found out about a namespace by itself. In the session file it is a name and a text.
package enum Fact: Sendable, Equatable {
  /// Why the kernel's drop reasons are missing ("not to be had: …"); nil where they are not.
  case dropReasons(missing: String?)
  /// The tables of iptables-legacy of this IP version; empty where there are none.
  case legacyTables(version: Int, [String])
  /// Why rules of iptables-legacy cannot be named; nil where they can.
  case legacyTrace(missing: String?)
  /// Whether the rule of iptables-legacy that was asked for last may be another than the packet met.
  case legacyRules(haveChanged: Bool)
  /// A table of another program that is its alone to change.
  case ownedTable(TableName)
  /// A table whose chains are off (`flags dormant`).
  case dormantTable(TableName)
  /// Whether rules that this host's own packets may meet ask who sends.
  case ownerRules(Bool)
  /// A setting, by its name with dots, that cannot be changed from here.
  case readOnly(String)

  private enum Name {
    static let dropReasons = "drop reasons"
    static let legacyTables = "legacy tables "
    static let legacyTrace = "legacy trace"
    static let legacyRules = "legacy rules"
    static let ownedTable = "owned table "
    static let dormantTable = "dormant table "
    static let readOnly = "read-only "
    static let ownerRules = "owner rules"
    /// The text of those that need none.
    static let yes = "yes"
    static let changed = "changed"
  }

  /// The fact as the session file has it.
  var entry: (name: String, text: String) {
    switch self {
    case .dropReasons(let missing): (Name.dropReasons, missing ?? "")
    case .legacyTables(let version, let names):
      (Name.legacyTables + "\(version)", names.joined(separator: " "))
    case .legacyTrace(let missing): (Name.legacyTrace, missing ?? "")
    case .legacyRules(let haveChanged): (Name.legacyRules, haveChanged ? Name.changed : "")
    case .ownedTable(let table):
      (Name.ownedTable + "\(NFProto.name(table.family)) \(table.name)", Name.yes)
    case .dormantTable(let table):
      (Name.dormantTable + "\(NFProto.name(table.family)) \(table.name)", Name.yes)
    case .ownerRules(let areThere): (Name.ownerRules, areThere ? Name.yes : "")
    case .readOnly(let name): (Name.readOnly + name, Name.yes)
    }
  }

  /// The fact of this name and text; nil for what this version does not know.
  init?(name: String, text: String) {
    let missing = text.isEmpty ? nil : text
    func rest(_ prefix: String) -> Substring? {
      name.hasPrefix(prefix) ? name.dropFirst(prefix.count) : nil
    }
    if name == Name.dropReasons {
      self = .dropReasons(missing: missing)
    } else if name == Name.ownerRules {
      self = .ownerRules(text == Name.yes)
    } else if name == Name.legacyTrace {
      self = .legacyTrace(missing: missing)
    } else if name == Name.legacyRules {
      self = .legacyRules(haveChanged: text == Name.changed)
    } else if let version = rest(Name.legacyTables).flatMap({ Int($0) }) {
      self = .legacyTables(version: version, text.split(separator: " ").map(String.init))
    } else if let table = rest(Name.ownedTable).flatMap(Self.table) {
      self = .ownedTable(table)
    } else if let table = rest(Name.dormantTable).flatMap(Self.table) {
      self = .dormantTable(table)
    } else if let setting = rest(Name.readOnly) {
      self = .readOnly(String(setting))
    } else {
      return nil
    }
  }
}

extension Fact {
  private static func table(_ text: Substring) -> TableName? {
    let words = text.split(separator: " ", maxSplits: 1)
    guard words.count == 2,
      let family = (0...UInt8.max).first(where: { NFProto.name($0) == words[0] })
    else { return nil }
    return TableName(family, String(words[1]))
  }
}

/// Facts as they stand in the session file: an object of names and texts.
package struct Facts: Sendable, Equatable {
  /// The facts.
  package var all: [Fact]

  /// These facts.
  package init(_ all: [Fact]) { self.all = all }
}

extension Facts: JSONCoded {
  /// What is not known is left out.
  init(json: JSONValue) throws(JSONFault) {
    let entries = try [String: String](json: json)
    all = entries.sorted { $0.key < $1.key }.compactMap { Fact(name: $0.key, text: $0.value) }
  }

  var asJSON: JSONValue {
    let entries = all.map { ($0.entry.name, $0.entry.text) }
    return Dictionary(entries, uniquingKeysWith: { _, new in new }).asJSON
  }
}
