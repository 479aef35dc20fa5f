package import Trace
internal import Wire

/// Chooses of what is dropped the packets that are told as log records: of each rule, or other cause, the first few in
/// a minute. What is left out is counted, in the next record of the same.
package struct DropSamples: Sendable {
  /// Packets of a cause and minute.
  private let most: Int
  private var causes: [String: Taken] = [:]

  private struct Taken {
    var minute: UInt64
    var count = 0
    /// Packets that were left out, and not told of.
    var leftOut = 0
  }

  /// Causes that are told apart; with more, all are forgotten.
  private static let mostCauses = 4096
  private static let minute: UInt64 = 60_000_000_000

  /// So many packets of each cause and minute.
  package init(perMinute most: Int) { self.most = most }

  /// The log records that tell of packets that were lost.
  package mutating func take(_ exchange: Exchange) -> [OTLPLogRecord] {
    exchange.journeys.compactMap { journey in
      guard journey.end.isLost else { return nil }
      let cause = exchange.findings.first {
        $0.severity == .error && ($0.site == nil || $0.site == journey.site)
      }
      let name = Self.name(journey, cause)
      let minute = journey.time / Self.minute
      if causes.count >= Self.mostCauses, causes[name] == nil { causes = [:] }
      var taken = causes[name] ?? Taken(minute: minute)
      defer { causes[name] = taken }
      if taken.minute != minute { (taken.minute, taken.count) = (minute, 0) }
      taken.count += 1
      guard taken.count <= most else {
        taken.leftOut += 1
        return nil
      }
      defer { taken.leftOut = 0 }
      return Self.record(journey, cause, leftOut: taken.leftOut)
    }
  }

  /// What tells one cause from others.
  private static func name(_ journey: Journey, _ cause: Finding?) -> String {
    if let rule = journey.end.decider?.rule {
      return "\(rule.family) \(rule.table) \(rule.chain) \(rule.ref)"
    }
    let place = journey.end.place
    return "\(cause?.id.rawValue ?? "") \(journey.end.kernelDrop?.reason ?? "") \(place.hook) "
      + (place.table ?? "")
  }

  private static func record(
    _ journey: Journey, _ cause: Finding?, leftOut: Int
  ) -> OTLPLogRecord {
    let (packet, last) = (journey.packet, journey.places.map(\.time).max() ?? 0)
    let time = journey.time.later(by: last)
    let short = EndText(journey, TextStyle(unicode: false)).short
    var record = OTLPLogRecord(
      time: time, observed: time, severity: .warn, event: "nftrace.drop",
      body: "\(packet.proto) \(packet.source) -> \(packet.destination): \(short)")
    record.attributes = OTLPStory.ends(of: packet)
    record.attributes.set("network.interface.name", journey.inDevice)
    record.attributes.set(place: journey.site)
    record.attributes.set("nftrace.end", journey.end.kind.rawValue)
    record.attributes.set("nftrace.hook", journey.end.place.hook.rawValue)
    record.attributes.set("nftrace.drop_reason", journey.end.kernelDrop?.reason)
    if let rule = journey.end.decider?.rule {
      record.attributes.set("nftrace.family", NFProto.name(rule.family))
      record.attributes.set("nftrace.table", rule.table)
      record.attributes.set("nftrace.chain", rule.chain)
      record.attributes.set("nftrace.handle", rule.handle)
      record.attributes.set("nftrace.rule", rule.isPolicy ? "policy" : rule.text)
    }
    record.attributes.set("nftrace.finding", cause?.id.rawValue)
    record.attributes.set("nftrace.cause", cause?.summary)
    record.attributes.set("nftrace.remedy", cause?.remedy?.text)
    if leftOut > 0 { record.attributes.set("nftrace.left_out", leftOut) }
    return record
  }
}
