internal import Trace
internal import Wire

/// What routers on the way wrote into a probe (IOAM): for people, and as JSON.
struct RouterText {
  let style: TextStyle

  /// What there is to say: a lead, the rows of a table, of which there may be none, and what is said below.
  struct Told {
    var lead: String
    var rows: [Row] = []
    var isFull = false
  }

  /// A router on the way.
  struct Row {
    var number: String
    var time = ""
    var name = ""
    var ways: String
    var isSilent = false
  }

  /// Titles of the columns.
  var titles: [String] { ["hop", style.micro, "router", "came in by, went out by"] }

  /// What is to be said of a probe; nil where routers were not asked.
  func told(_ routers: RouterTrace?) -> Told? {
    guard let routers else { return nil }
    let asked = "(IOAM, namespace \(routers.namespace))"
    let hops = routers.hops
    let count = hops.count { !$0.isEnd }
    guard hops.contains(where: { $0.node != nil }) else {
      let words =
        routers.trace == nil
        ? "what routers on the way wrote is not known: no machine has sent the probe back, or shown it"
        : count == 0
          ? "there was no router on the way"
          : "\(count == 1 ? "the router on the way has not" : "none of the \(count) routers on the way has") written "
            + "anything: it is not switched on there"
      return Told(lead: "\(words) \(asked)\(routers.trace == nil ? Self.advice : "")")
    }
    let start = hops.lazy.compactMap(\.node?.time).first
    return Told(
      lead: "routers on the way, as they wrote into the probe \(asked)",
      rows: hops.map { Self.row($0, since: start) }, isFull: routers.trace?.isFull == true)
  }

  private static func row(_ hop: RouterTrace.Hop, since start: UInt64?) -> Row {
    guard let node = hop.node else {
      return Row(number: "\(hop.number)", ways: "wrote nothing", isSilent: true)
    }
    var time = ""
    if let start, let at = node.time {
      time =
        at < start ? "-\(Phrases.microseconds(start - at))" : Phrases.microseconds(at - start)
    }
    let device = { (number: UInt16?) in number.map { "\($0)" } ?? "?" }
    return Row(
      number: "\(hop.number)", time: time,
      name: node.id.map { "node \($0)" } ?? "of no number",
      ways: hop.isEnd
        ? "in \(device(node.input)), and is where it went to"
        : "in \(device(node.input)), out \(device(node.output))")
  }

  /// A router at which a packet's hop limit ends quotes it, as it is by then.
  private static let advice =
    "; with -t 1, -t 2 and so on, each router in turn sends back what those before it wrote"

  private static let noRoom = "there was no room for more"

  /// The lines for a probe: none where routers were not asked.
  func lines(_ probe: ProbeResult) -> [StyledLine] {
    guard let told = told(probe.routers) else { return [] }
    if told.rows.isEmpty { return [StyledLine(told.lead, .faint)] }
    let titles = titles
    let head = Self.line(titles[0], titles[1], titles[2], titles[3])
    return [StyledLine(told.lead), "", StyledLine(head, .faint)]
      + told.rows.map {
        StyledLine(
          $0.isSilent
            ? Self.line($0.number, "", $0.ways, "")
            : Self.line($0.number, $0.time, $0.name, $0.ways),
          $0.isSilent ? .faint : .plain)
      } + (told.isFull ? [StyledLine("     \(Self.noRoom)", .faint)] : [])
  }

  private static func line(_ number: String, _ time: String, _ name: String, _ ways: String)
    -> String
  {
    let end = ways.isEmpty ? name : TextLayout.padded(name, to: 14) + ways
    return TextLayout.padded(from: 8, number) + "  " + TextLayout.padded(from: 11, time) + "  "
      + end
  }

  /// The same on a page.
  func html(_ routers: RouterTrace?) -> [String] {
    guard let told = told(routers) else { return [] }
    if told.rows.isEmpty { return ["<p class=\"faint\">\(told.lead)</p>"] }
    return [
      "<h3>\(told.lead)</h3>", "<table class=\"timeline\">",
      "<thead><tr>" + titles.map { "<th>\($0)" }.joined() + "</thead>", "<tbody>",
    ]
      + told.rows.map { "<tr><td>\($0.number)<td>\($0.time)<td>\($0.name)<td>\($0.ways)" }
      + ["</tbody>", "</table>"]
      + (told.isFull ? ["<p class=\"faint\">\(Self.noRoom)</p>"] : [])
  }
}

extension JSONObjects {
  /// What routers wrote; with the number of the probe, where that does not stand above it.
  func routers(_ routers: RouterTrace, ofProbe sequence: Int? = nil) -> JSONValue {
    .object(
      (sequence.map { [("sequence", JSONValue.int($0))] } ?? []) + [
        ("namespace", .int(Int(routers.namespace))),
        ("known", .bool(routers.trace != nil)),
        ("full", .bool(routers.trace?.isFull == true)),
        (
          "hops",
          .array(
            routers.hops.map { hop in
              .object([
                ("hop", .int(hop.number)), ("wrote", .bool(hop.node != nil)),
                ("destination", .bool(hop.isEnd)), ("node", .int(hop.node?.id)),
                ("in", .int(hop.node?.input)), ("out", .int(hop.node?.output)),
                ("time", .int(hop.node?.time)),
              ])
            })
        ),
      ])
  }
}
