package import Kernel
internal import Trace

/// What the network namespaces that recordings are of are called by now.
package struct NamespaceNames {
  private var keys: [Substring: NamespaceName] = [:]

  /// Looks at the machine as it is now.
  package init(_ surveyor: any NamespaceSurveyor) {
    for found in surveyor.survey().found {
      // The number alone is given to another namespace when one is gone.
      let key = try? ChosenNamespace(nil, surveyor.open(found)).within {
        try surveyor.place().key
      }
      keys[key.map { $0[...] } ?? "\(found.identity.inode)-"] = NamespaceName(
        call: found.call, text: found.description)
    }
  }

  /// What the namespace of a recording is called; nil for a ping.
  package func name(of recording: KeptRecording) -> NamespaceName? {
    recording.key.map { name(ofKey: $0, known: recording.header?.netns) }
  }

  /// What the namespace with this key is called, or was when it was `known`.
  package func name(ofKey key: Substring, known: String? = nil) -> NamespaceName {
    let inode = key.prefix { $0 != "-" }
    if let name = keys[key] ?? keys["\(inode)-"] { return name }
    return NamespaceName(
      call: nil, text: "network namespace \(known ?? String(inode)), which is gone")
  }
}

extension NamespaceSurvey.Found {
  /// What it is called, for people.
  package var description: String {
    if isOfMachine { return "the machine's network namespace" }
    if !names.isEmpty { return "network namespace \(names.joined(separator: ", "))" }
    if let container = containers.first { return "network namespace of \(container.description)" }
    return "network namespace \(paths.first ?? processes.first.map { "of process \($0)" } ?? "?")"
  }
}
