internal import Kernel
package import Report
internal import Trace
internal import Wire

extension StatusFindings {
  /// What there is to say. `command` is what a command is to begin with to be run where this is. What
  /// nftrace needs is said to people only if `tellsRequirements`.
  package func statements(
    command: String = "", tellsRequirements: Bool = true
  ) -> [Statement] {
    [
      installed,
      Statement(
        "orphans",
        .array(
          orphans.map {
            .object([
              ("family", .string(NFProto.name($0.family))), ("table", .string($0.name)),
            ])
          }), .lines(orphans.map { Self.words($0, command) })),
      Statement("hidden", .strings(hidden), .lines(hidden.map { "hidden     \($0)" })),
    ] + needs(tellsRequirements && requirements != nil)
  }

  private var installed: Statement {
    guard let setup else {
      return Statement(
        "setup", .null, hidden.isEmpty ? "nothing is set up here" : "no setup to be seen here")
    }
    return Statement("setup", of: SetupFacts(setup, recorder, look).statements)
  }

  private static func words(_ orphan: TableName, _ command: String) -> StyledLine {
    let family = NFProto.name(orphan.family)
    return "orphan     table \(family) \(Escape.name(orphan.name)) belongs to nobody"
      + ((try? Word.nft(orphan.name)).map {
        "; to remove it: \(command)nft delete table \(family) \($0.text)"
      } ?? "")
  }

  /// The kernel, and what nftrace needs of it.
  private func needs(_ areTold: Bool) -> [Statement] {
    let release = Statement(
      "kernel", .string(release),
      .lines(areTold ? elsewhereWords + ["", "This kernel, \(release), and these rights:"] : []))
    guard let requirements else { return [release] }
    let width = requirements.map(\.name.count).max() ?? 0
    let features = JSONValue.array(
      requirements.map {
        .object([
          ("name", .string($0.name)), ("purpose", .string($0.purpose)),
          ("available", $0.isThere.map { .bool($0) } ?? .null), ("help", .string($0.help)),
        ])
      })
    let words = requirements.flatMap { Self.words($0, width) }
    return [
      release, Statement("features", features, .lines(areTold ? words : [])),
      RouterTracingFacts(routerTracing).statement(isTold: areTold || routerTracing?.isOn == true),
    ]
  }

  private static func words(_ requirement: Requirement, _ width: Int) -> [StyledLine] {
    let answer = requirement.isThere.map { $0 ? "yes" : "no " } ?? "?  "
    let name = TextLayout.padded(requirement.name, to: width)
    let help = requirement.help.map { TextLayout.space(width + 9) + $0 }
    return ["  \(name)  \(answer)  for \(requirement.purpose)"] + (help.map { ["\($0)"] } ?? [])
  }

  private var elsewhereWords: [StyledLine] {
    guard elsewhere > 0 else { return [] }
    let setups =
      elsewhere == 1
      ? "a setup in another network namespace"
      : "\(elsewhere) setups in other network namespaces"
    return ["elsewhere  \(setups): 'nftrace status --all' looks there"]
  }
}
