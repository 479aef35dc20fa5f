internal import Trace
internal import Wire

/// A log record: `LogRecord` of
/// https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/logs/v1/logs.proto
package struct OTLPLogRecord: Sendable, Equatable {
  /// When it happened, nanoseconds since the epoch.
  package var time: UInt64
  /// When nftrace learnt of it, the same.
  package var observed: UInt64
  /// How bad it is.
  package var severity: Severity
  /// What kind of record it is.
  package var event: String
  /// The sentence.
  package var body: String
  /// What is known of it.
  package var attributes = OTLPAttributes()
  /// The trace it belongs to; 0 is none.
  package var traceID: UInt128 = 0
  /// The span it belongs to; 0 is none.
  package var spanID: UInt64 = 0

  /// `SeverityNumber`.
  package enum Severity: UInt64, Sendable {
    case info = 9
    case warn = 13
    case error = 17

    var text: String {
      switch self {
      case .info: "INFO"
      case .warn: "WARN"
      case .error: "ERROR"
      }
    }
  }

  var protobuf: ProtobufMessage {
    var record = ProtobufMessage()
    record.add(1, fixed64: time)
    record.add(2, varint: severity.rawValue)
    record.add(3, text: severity.text)
    record.add(5, OTLPValue.string(body).protobuf)
    attributes.add(to: &record, as: 6)
    if traceID != 0 { record.add(9, octets: traceID.octets) }
    if spanID != 0 { record.add(10, octets: spanID.octets) }
    record.add(11, fixed64: observed)
    record.add(12, text: event)
    return record
  }

  var json: JSONValue {
    var members: [(String, JSONValue)] = [
      ("timeUnixNano", .string("\(time)")), ("observedTimeUnixNano", .string("\(observed)")),
      ("severityNumber", .int(Int(severity.rawValue))), ("severityText", .string(severity.text)),
      ("body", OTLPValue.string(body).json), ("attributes", attributes.json),
    ]
    if traceID != 0 { members.append(("traceId", .string(TraceContext.text(traceID)))) }
    if spanID != 0 { members.append(("spanId", .string(TraceContext.text(spanID)))) }
    members.append(("eventName", .string(event)))
    return .object(members)
  }
}
