/// The formats there are. One more is a renderer in a file of its own, and a case here.
package enum ReportFormat: String, Sendable, CaseIterable {
  /// For people, on a terminal or in a file.
  case text
  /// The same, a line a packet or exchange.
  case lines
  /// One object.
  case json
  /// An object a packet and line.
  case jsonLines = "json-lines"
  /// A table of flows.
  case flows
  /// The same as one object.
  case jsonFlows = "json-flows"
  /// A table of flows, and what was lost of them.
  case overview
  /// A page for a browser.
  case html
  /// A picture.
  case svg

  /// What writes it, to look as `style` says.
  package func renderer(_ style: TextStyle) -> any Renderer {
    switch self {
    case .text: TextReport(style: style)
    case .lines: LineReport(style: style)
    case .json: JSONReport(allRules: style.allRules)
    case .jsonLines: JSONLines(allRules: style.allRules)
    case .flows: FlowsReport(style: style, isTable: true)
    case .jsonFlows: JSONReport(allRules: style.allRules, isOfFlows: true)
    case .overview: FlowsReport(style: style, isTable: false)
    case .html: HTMLPage(style: style)
    case .svg: SVGReport(style: style)
    }
  }
}
