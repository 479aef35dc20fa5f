internal import Trace
internal import Wire

/// What is exported together: spans and log records of one resource.
///
/// In protobuf it is an `ExportTraceServiceRequest` and an `ExportLogsServiceRequest`; a file has the same in JSON, each
/// on a line of its own, as the file exporter and the `otlpjsonfile` receiver of the OpenTelemetry collector have it.
package struct OTLPBatch: Sendable, Equatable {
  /// What tells who says it: `service.name`, `host.name`.
  package var resource: OTLPAttributes
  /// nftrace's version.
  package var version: String
  /// The spans.
  package var spans: [OTLPSpan] = []
  /// The log records.
  package var logs: [OTLPLogRecord] = []

  /// A batch without anything in it.
  package init(resource: OTLPAttributes, version: String) {
    self.resource = resource
    self.version = version
  }

  /// Whether there is nothing in it.
  package var isEmpty: Bool { spans.isEmpty && logs.isEmpty }

  /// How many traces it has spans of.
  package var traces: Int { Set(spans.map(\.traceID)).count }

  /// The body of a request to `/v1/traces`; nil without spans.
  package var traceRequest: [UInt8]? {
    spans.isEmpty ? nil : request(spans.map(\.protobuf))
  }

  /// The body of a request to `/v1/logs`; nil without log records.
  package var logsRequest: [UInt8]? {
    logs.isEmpty ? nil : request(logs.map(\.protobuf))
  }

  /// Both as lines of a file.
  package var lines: [String] {
    [
      spans.isEmpty
        ? nil : line("resourceSpans", "scopeSpans", "spans", spans.map(\.json)),
      logs.isEmpty
        ? nil : line("resourceLogs", "scopeLogs", "logRecords", logs.map(\.json)),
    ].compactMap { $0?.line }
  }

  private static let scope = "nftrace"

  /// `ResourceSpans` and `ResourceLogs` have the same fields, as have what is in them.
  private func request(_ items: [ProtobufMessage]) -> [UInt8] {
    var scope = ProtobufMessage()
    scope.add(1, text: Self.scope)
    scope.add(2, text: version)
    var ofScope = ProtobufMessage()
    ofScope.add(1, scope)
    for item in items { ofScope.add(2, item) }
    var resource = ProtobufMessage()
    self.resource.add(to: &resource, as: 1)
    var ofResource = ProtobufMessage()
    ofResource.add(1, resource)
    ofResource.add(2, ofScope)
    var request = ProtobufMessage()
    request.add(1, ofResource)
    return request.bytes
  }

  private func line(
    _ ofResource: String, _ ofScope: String, _ name: String, _ items: [JSONValue]
  ) -> JSONValue {
    .object([
      (
        ofResource,
        .array([
          .object([
            ("resource", .object([("attributes", resource.json)])),
            (
              ofScope,
              .array([
                .object([
                  (
                    "scope",
                    .object([("name", .string(Self.scope)), ("version", .string(version))])
                  ), (name, .array(items)),
                ])
              ])
            ),
          ])
        ])
      )
    ])
  }
}
