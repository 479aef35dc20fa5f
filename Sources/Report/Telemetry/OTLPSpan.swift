package import Trace
internal import Wire

/// A span: `Span` of
/// https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto
package struct OTLPSpan: Sendable, Equatable {
  /// The trace, 16 octets.
  package var traceID: UInt128
  /// The span, 8 octets.
  package var spanID: UInt64
  /// The span above it; 0 is none.
  package var parentID: UInt64 = 0
  /// What it is called.
  package var name: String
  /// Its part in a conversation.
  package var kind = Kind.internal
  /// When it began, nanoseconds since the epoch.
  package var start: UInt64
  /// When it ended, the same.
  package var end: UInt64
  /// What is known of it.
  package var attributes = OTLPAttributes()
  /// What happened in it.
  package var events: [Event] = []
  /// Spans of other traces that it has to do with.
  package var links: [TraceContext] = []
  /// What failed, in a sentence; nil where nothing is said to have failed.
  package var error: String?
  /// The flags of W3C Trace Context.
  package var flags = TraceContext.sampled

  /// `SpanKind`.
  package enum Kind: UInt64, Sendable {
    case `internal` = 1
    case client = 3
  }

  /// Something that happened at one moment.
  package struct Event: Sendable, Equatable {
    /// When, nanoseconds since the epoch.
    package var time: UInt64
    /// What it is called.
    package var name: String
    /// What is known of it.
    package var attributes: OTLPAttributes
  }

  /// `STATUS_CODE_ERROR`.
  private static let failed: UInt64 = 2

  var protobuf: ProtobufMessage {
    var span = ProtobufMessage()
    span.add(1, octets: traceID.octets)
    span.add(2, octets: spanID.octets)
    if parentID != 0 { span.add(4, octets: parentID.octets) }
    span.add(5, text: name)
    span.add(6, varint: kind.rawValue)
    span.add(7, fixed64: start)
    span.add(8, fixed64: end)
    attributes.add(to: &span, as: 9)
    for event in events {
      var message = ProtobufMessage()
      message.add(1, fixed64: event.time)
      message.add(2, text: event.name)
      event.attributes.add(to: &message, as: 3)
      span.add(11, message)
    }
    for other in links {
      var link = ProtobufMessage()
      link.add(1, octets: other.traceID.octets)
      link.add(2, octets: other.spanID.octets)
      span.add(13, link)
    }
    if let error {
      var status = ProtobufMessage()
      status.add(2, text: error)
      status.add(3, varint: Self.failed)
      span.add(15, status)
    }
    return span
  }

  var json: JSONValue {
    let parent =
      parentID == 0 ? [] : [("parentSpanId", JSONValue.string(TraceContext.text(parentID)))]
    let status =
      error.map {
        [
          (
            "status",
            JSONValue.object([("message", .string($0)), ("code", .int(Int(Self.failed)))])
          )
        ]
      } ?? []
    let members: [(String, JSONValue)] =
      [
        ("traceId", .string(TraceContext.text(traceID))),
        ("spanId", .string(TraceContext.text(spanID))),
      ] + parent + [
        ("name", .string(name)), ("kind", .int(Int(kind.rawValue))),
        ("startTimeUnixNano", .string("\(start)")), ("endTimeUnixNano", .string("\(end)")),
        ("attributes", attributes.json),
        (
          "events",
          .array(
            events.map {
              .object([
                ("timeUnixNano", .string("\($0.time)")), ("name", .string($0.name)),
                ("attributes", $0.attributes.json),
              ])
            })
        ),
      ]
    let others = links.map {
      JSONValue.object([("traceId", .string($0.traceIDText)), ("spanId", .string($0.spanIDText))])
    }
    return .object(members + (others.isEmpty ? [] : [("links", .array(others))]) + status)
  }
}

extension FixedWidthInteger {
  /// All its octets, in network order.
  var octets: [UInt8] {
    stride(from: Self.bitWidth - 8, through: 0, by: -8).map {
      UInt8(truncatingIfNeeded: self >> Self($0))
    }
  }
}
