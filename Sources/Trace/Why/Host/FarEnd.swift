internal import Wire

/// The other end of the interface of a `Whereabouts`, in another network namespace of this machine: what is known there of why nobody
/// answers for the address.
package struct FarEnd: Sendable, Equatable, JSONObject {
  /// What `--netns` takes for the namespace of the other end; nil where nothing leads to it.
  package var namespace: String?
  /// The other end.
  package var device: String
  /// The interface in that namespace that has the address; nil where none has it.
  package var holder: String?
  /// Whether duplicate address detection of IPv6 is not over for it.
  package var isTentative = false
  /// Whether that found another machine to have it.
  package var isDuplicate = false
  /// Settings that keep the namespace from answering, by their names, with what they are.
  package var silencers: [String: String] = [:]
  /// The interface by which a route there leads to the address, where that is another one, and nobody answers in its place.
  package var leads: String?
  /// The port of the same bridge behind which the address is, where it and the other end are both isolated.
  package var isolatedPort: String?

  /// One of which nothing more is known.
  package init(namespace: String?, device: String, holder: String? = nil) {
    self.namespace = namespace
    self.device = device
    self.holder = holder
  }

  static var blank: FarEnd { FarEnd(namespace: nil, device: "") }

  mutating func members(_ json: inout JSONMembers) {
    json.member("device", &device)
    json.member("duplicate", &isDuplicate)
    json.member("holder", &holder)
    json.member("isolatedPort", &isolatedPort)
    json.member("leads", &leads)
    json.member("namespace", &namespace)
    json.member("silencers", &silencers)
    json.member("tentative", &isTentative)
  }

  /// Where it is: "netns web".
  var place: String { namespace.map { "netns \(Escape.name($0))" } ?? "another netns" }

  /// A command that is to be run there; nil where nothing leads there.
  func command(_ command: Command) throws(Word.Unspeakable) -> Command? {
    guard let namespace else { return nil }
    return command.run(through: "ip netns exec \(try Word.namespace(namespace)) ")
  }
}
