internal import Trace

/// Packets as JSON, an object a line: for who reads on while it is written.
struct JSONLines: Renderer {
  private let objects: JSONObjects

  /// Lines; `allRules` is whether to tell every rule that was met, not only those that decided.
  init(allRules: Bool) { objects = JSONObjects(allRules: allRules) }

  mutating func exchange(_ exchange: Exchange) -> [String] {
    exchange.journeys.map { objects.journey($0).line }
  }
}
