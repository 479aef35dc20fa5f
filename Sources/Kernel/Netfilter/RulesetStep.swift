internal import Wire

/// What one message of a transaction is for.
enum RulesetStep: Sendable, Equatable, CustomStringConvertible {
  case begin
  case addTable(family: UInt8, _ name: String, isOwned: Bool)
  case deleteTable(family: UInt8, _ name: String)
  case addChain(family: UInt8, table: String, _ name: String)
  case addSet(family: UInt8, table: String, _ name: String)
  case fillSet(family: UInt8, table: String, _ name: String)
  case emptySet(family: UInt8, table: String, _ name: String)
  case addRule(family: UInt8, table: String, chain: String)
  case end

  /// The family it is about, as the kernel numbers them (`NFPROTO_…`); nil where it is about none.
  var family: UInt8? {
    switch self {
    case .begin, .end: nil
    case .addTable(let family, _, _), .deleteTable(let family, _), .addChain(let family, _, _),
      .addSet(let family, _, _), .fillSet(let family, _, _),
      .emptySet(let family, _, _), .addRule(let family, _, _):
      family
    }
  }

  /// As it reads after "cannot".
  var description: String {
    switch self {
    case .begin: "begin a transaction"
    case .addTable(let family, let name, _): "add table \(NFProto.name(family)) \(name)"
    case .deleteTable(let family, let name): "delete table \(NFProto.name(family)) \(name)"
    case .addChain(let family, let table, let name):
      "add chain \(NFProto.name(family)) \(table) \(name)"
    case .addSet(let family, let table, let name):
      "add set \(NFProto.name(family)) \(table) \(name)"
    case .fillSet(_, _, let name): "fill set \(name)"
    case .emptySet(_, _, let name): "take an element out of set \(name)"
    case .addRule(let family, let table, let chain):
      "add a rule to chain \(NFProto.name(family)) \(table) \(chain)"
    case .end: "end a transaction"
    }
  }
}
