internal import Wire

/// An interface in another network namespace of this machine that has the address of a `Whereabouts`, and belongs to the interface
/// here behind which it was looked for.
package struct AddressOwner: Sendable, Equatable, JSONObject {
  /// What `--netns` takes for the namespace; nil where nothing leads to it.
  package var namespace: String?
  /// The interface that has the address.
  package var device: String
  /// What kind of interface that is, as ip(8) calls it.
  package var kind: String?
  /// Whether it is up.
  package var isUp: Bool
  /// How the two interfaces belong together.
  package var relation: Relation

  /// How an interface belongs to one in another network namespace.
  package enum Relation: String, Sendable, JSONCoded {
    /// It stands on the one here, as a macvlan does on its parent.
    case above
    /// The one here stands on it.
    case below
    /// It is the other end of the one here, or of a port of that, where it is a bridge.
    case connected
  }

  /// One of this namespace.
  package init(
    namespace: String?, device: String, kind: String?, isUp: Bool, relation: Relation
  ) {
    self.namespace = namespace
    self.device = device
    self.kind = kind
    self.isUp = isUp
    self.relation = relation
  }

  static var blank: AddressOwner {
    AddressOwner(namespace: nil, device: "", kind: nil, isUp: false, relation: .connected)
  }

  mutating func members(_ json: inout JSONMembers) {
    json.member("device", &device)
    json.member("kind", &kind)
    json.member("namespace", &namespace)
    json.member("relation", &relation)
    json.member("up", &isUp)
  }

  /// As it is told: "mv0 in netns web".
  package var words: String {
    Escape.name(device) + (namespace.map { " in netns \(Escape.name($0))" } ?? " in another netns")
  }
}
