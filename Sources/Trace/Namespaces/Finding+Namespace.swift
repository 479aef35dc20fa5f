extension Finding {
  /// The same, found in one of several network namespaces: it says which, and its remedy is for a shell in
  /// any of them.
  package func told(in namespace: NamespacePath) -> Finding {
    var finding = self
    finding.netns = namespace.name
    finding.summary = "in netns \(Escape.name(namespace.name)): \(summary)"
    func entered(_ command: Command) -> Command? {
      namespace.entering.map { command.run(through: $0) }
    }
    finding.remedy = remedy.flatMap(entered)
    finding.alternatives = alternatives.compactMap(entered)
    return finding
  }
}
