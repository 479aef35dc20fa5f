/// A container, or a pod, that runs on this machine, and what leads to its network namespace.
package struct Container: Sendable, Equatable {
  /// Who runs it: "docker", "podman".
  package var engine: String
  /// What it is called; of a pod, "namespace/pod".
  package var name: String
  /// What else it is called: its id, the pod's name alone, what Kubernetes calls the container.
  package var otherNames: [String]
  /// The file of its network namespace.
  package var path: String
  /// Whether it is a pod.
  package var isPod: Bool

  /// A container of these fields.
  package init(
    engine: String, name: String, otherNames: [String] = [], path: String, isPod: Bool = false
  ) {
    self.engine = engine
    self.name = name
    self.otherNames = otherNames
    self.path = path
    self.isPod = isPod
  }

  /// For people: "docker container web", "pod shop/web".
  package var description: String { isPod ? "pod \(name)" : "\(engine) container \(name)" }

  /// Whether somebody who says `text` can mean it. Of an id, its beginning will do, as engines show it.
  func isCalled(_ text: String) -> Bool {
    if name == text || otherNames.contains(text) { return true }
    let isID = text.utf8.count >= 8 && text.utf8.allSatisfy { Self.digits.contains($0) }
    return isID && otherNames.contains { $0.utf8.count == 64 && $0.hasPrefix(text) }
  }

  private static let digits = Array("0123456789abcdef".utf8)
}
