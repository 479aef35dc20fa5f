import Fixtures
import Testing
import Trace
import Wire

@testable import Report

/// What is exported of a report: spans and log records of OpenTelemetry.
struct TelemetryTests {
  private static let context = TraceContext(
    traceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")!

  /// What is exported of a session as `show` tells it.
  private func exported(
    _ session: String, under parent: TraceContext? = nil, last: Int? = nil
  ) throws -> [OTLPBatch] {
    var resource = OTLPAttributes()
    resource[name: "service.name"] = .string("nftrace")
    let story = Held(OTLPStory(Self.context, under: parent, resource: resource, version: "1"))
    var report = SessionReport(
      filter: ExchangeFilter(), style: TextStyle(), format: .json, last: last)
    report.listener = { told in
      switch told {
      case .header(let header): story.value.begin(header)
      case .probe(let result): story.value.take(result)
      case .exchange(let exchange): story.value.take(exchange)
      }
    }
    _ = report.lines(of: [try Fixtures.octets(session)])
    return story.value.takeBatches(isOver: true)
  }

  private final class Held {
    var value: OTLPStory
    init(_ value: OTLPStory) { self.value = value }
  }

  private func spans(_ batches: [OTLPBatch]) -> [OTLPSpan] { batches.flatMap(\.spans) }

  private func text(_ span: OTLPSpan, _ name: String) -> String? {
    if case .string(let text)? = span.attributes[name: name] { text } else { nil }
  }

  @Test(arguments: Fixtures.sessions)
  func everySessionMakesTrees(_ session: String) throws {
    let batches = try exported(session)
    let spans = spans(batches)
    for (trace, spans) in Dictionary(grouping: spans, by: \.traceID) {
      #expect(trace != 0)
      let ids = Set(spans.map(\.spanID))
      #expect(ids.count == spans.count && !ids.contains(0))
      #expect(spans.count { $0.parentID == 0 } == 1, "one root")
      #expect(spans.allSatisfy { $0.parentID == 0 || ids.contains($0.parentID) })
      for span in spans {
        #expect(span.end >= span.start, "\(span.name)")
        // Of what was never seen, sessions of before have no time.
        #expect(span.start > 0 || spans.count == 1)
        #expect(!span.name.isEmpty)
        #expect((span.error == nil) == (span.attributes[name: "error.type"] == nil))
      }
    }
    for log in batches.flatMap(\.logs) {
      #expect(!log.body.isEmpty)
      #expect(spans.contains { $0.traceID == log.traceID && $0.spanID == log.spanID })
    }
    // The same gives the same.
    #expect(try exported(session) == batches)
    for batch in batches {
      for line in batch.lines { _ = try JSONValue(line) }
      let requests = [batch.traceRequest, batch.logsRequest].compactMap(\.self)
      for request in requests {
        #expect(ProbeReader.count(request) == 1)
      }
    }
  }

  /// Of a request, how many resources it has.
  private enum ProbeReader {
    static func count(_ request: [UInt8]) -> Int {
      ProtobufFields(request).count { $0.number == 1 }
    }
  }

  @Test func aDropHasItsCauseAndItsRule() throws {
    let batches = try exported("drop-iptables-subchain-v4")
    let spans = spans(batches)
    let root = try #require(spans.first { $0.parentID == 0 })
    #expect(root.name.hasPrefix("ping ") && root.kind == .client)
    #expect(root.traceID == Self.context.traceID && root.spanID == Self.context.probe(1).spanID)
    let lost = try #require(spans.first { $0.parentID == root.spanID })
    #expect(lost.kind == .internal && lost.error != nil && root.error != nil)
    #expect(text(lost, "error.type") == "rule-drop" && text(root, "error.type") == "rule-drop")
    let event = try #require(lost.events.last)
    #expect(event.attributes[name: "nftrace.rule"] != nil)
    let log = try #require(batches.flatMap(\.logs).first)
    #expect(log.severity == .error && log.spanID == lost.spanID)
    #expect(log.attributes[name: "nftrace.finding"] == .string("rule-drop"))
    #expect(log.attributes[name: "nftrace.remedy"] != nil)
  }

  @Test func packetsOfAWalkAreOneChain() throws {
    let name = try #require(
      try Fixtures.sessions.first {
        try ReplayedSession($0).results.first?.exchange.journeys.count ?? 0 > 3
      })
    let spans = spans(try exported(name))
    let root = try #require(spans.first { $0.parentID == 0 })
    var (above, met) = (root.spanID, 0)
    while let next = spans.first(where: { $0.parentID == above }) {
      #expect(spans.count { $0.parentID == above } == 1)
      above = next.spanID
      met += 1
    }
    #expect(met == spans.count - 1)
  }

  @Test func underSomebodyElsesSpan() throws {
    let parent = try #require(TraceContext(traceID: Self.context.traceID, spanID: 5))
    let spans = spans(try exported("drop-iptables-subchain-v4", under: parent))
    #expect(spans.count { $0.parentID == 5 } == 1)
  }

  @Test func severalProbesHaveASpanAboveThem() throws {
    let name = try #require(
      try Fixtures.sessions.first { try ReplayedSession($0).results.count > 1 })
    let spans = spans(try exported(name))
    let root = try #require(spans.first { $0.parentID == 0 })
    #expect(root.spanID == Self.context.spanID && root.name.hasPrefix("ping "))
    let probes = spans.filter { $0.parentID == root.spanID }
    #expect(probes.count > 1 && probes.allSatisfy { $0.name.hasPrefix("probe ") })
    #expect(root.start == probes.map(\.start).min() && root.end == probes.map(\.end).max())
  }

  /// What a packet says of the trace that it is part of is a link, in both encodings.
  @Test func aTraceOfOthersIsALink() throws {
    var span = OTLPSpan(traceID: 1, spanID: 2, name: "s", start: 3, end: 4)
    span.links = [Self.context]
    let field = try #require(ProtobufFields(span.protobuf.bytes).first { $0.number == 13 })
    guard case .octets(let link) = field.value else { return #expect(Bool(false)) }
    #expect(ProtobufFields(link).map(\.number) == [1, 2])
    #expect(
      span.json.line.contains(
        #""links":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331"}]"#))
  }

  /// Octet by octet, as the official encoder has it: `opentelemetry-proto` 1.45 was asked.
  @Test func octets() {
    var resource = OTLPAttributes()
    resource[name: "service.name"] = .string("nftrace")
    var batch = OTLPBatch(resource: resource, version: "1")
    var attributes = OTLPAttributes()
    attributes[name: "a"] = .int(-1)
    attributes[name: "b"] = .bool(false)
    attributes[name: "c"] = .double(0.5)
    attributes[name: "d"] = .strings(["x", ""])
    var span = OTLPSpan(traceID: 1, spanID: 2, name: "s", start: 3, end: 4)
    span.attributes = attributes
    span.events = [OTLPSpan.Event(time: 5, name: "e", attributes: OTLPAttributes())]
    span.error = "bad"
    batch.spans = [span]
    batch.logs = [
      OTLPLogRecord(
        time: 6, observed: 7, severity: .warn, event: "n", body: "b", traceID: 1, spanID: 2)
    ]
    #expect(hex(batch.traceRequest) == Self.traces)
    #expect(hex(batch.logsRequest) == Self.logs)
    #expect(
      batch.lines == [
        #"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"nftrace"}}]},"scopeSpans":[{"scope":{"name":"nftrace","version":"1"},"spans":[{"traceId":"00000000000000000000000000000001","spanId":"0000000000000002","name":"s","kind":1,"startTimeUnixNano":"3","endTimeUnixNano":"4","attributes":[{"key":"a","value":{"intValue":"-1"}},{"key":"b","value":{"boolValue":false}},{"key":"c","value":{"doubleValue":0.5}},{"key":"d","value":{"arrayValue":{"values":[{"stringValue":"x"},{"stringValue":""}]}}}],"events":[{"timeUnixNano":"5","name":"e","attributes":[]}],"status":{"message":"bad","code":2}}]}]}]}"#,
        #"{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"nftrace"}}]},"scopeLogs":[{"scope":{"name":"nftrace","version":"1"},"logRecords":[{"timeUnixNano":"6","observedTimeUnixNano":"7","severityNumber":13,"severityText":"WARN","body":{"stringValue":"b"},"attributes":[],"traceId":"00000000000000000000000000000001","spanId":"0000000000000002","eventName":"n"}]}]}]}"#,
      ])
  }

  private func hex(_ octets: [UInt8]?) -> String {
    (octets ?? []).map { TraceContext.text($0) }.joined()
  }

  private static let traces =
    "0ab8010a1b0a190a0c736572766963652e6e616d6512090a076e6674726163651298010a0c0a076e6674726163651201311287010a1000000000000000000000000000000001120800000000000000022a017330013903000000000000004104000000000000004a100a0161120b18ffffffffffffffffff014a070a0162120210004a0e0a0163120921000000000000e03f4a100a0164120b2a090a030a01780a020a005a0c0905000000000000001201657a0712036261641802"
  private static let logs =
    "0a6d0a1b0a190a0c736572766963652e6e616d6512090a076e667472616365124e0a0c0a076e667472616365120131123e090600000000000000100d1a045741524e2a030a01624a10000000000000000000000000000000015208000000000000000259070000000000000062016e"
}
