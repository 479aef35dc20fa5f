import App
import Kernel
import Report
import Testing
import Trace
import Wire

/// What `--otlp` and the environment say, as OpenTelemetry specifies it.
struct OTLPSettingsTests {
  private func settings(_ option: String, _ environment: [String: String] = [:]) throws
    -> OTLPSettings
  {
    try OTLPSettings(option) { environment[$0] }
  }

  private func endpoints(_ option: String, _ environment: [String: String] = [:]) throws -> (
    traces: Courier.Endpoint, logs: Courier.Endpoint
  ) {
    guard case .collector(let traces, let logs) = try settings(option, environment).target else {
      throw UsageError("no collector")
    }
    return (traces, logs)
  }

  @Test(arguments: [
    ("http://a:4318", "http://a:4318/v1/traces", "http://a:4318/v1/logs"),
    ("http://a:4318/", "http://a:4318/v1/traces", "http://a:4318/v1/logs"),
    ("http://a/x/", "http://a/x/v1/traces", "http://a/x/v1/logs"),
    ("http://a/x/v1/traces", "http://a/x/v1/traces", "http://a/x/v1/logs"),
    ("http://a/v1/traces?k=v", "http://a/v1/traces?k=v", "http://a/v1/logs?k=v"),
    ("env", "http://localhost:4318/v1/traces", "http://localhost:4318/v1/logs"),
  ])
  func urls(_ option: String, _ traces: String, _ logs: String) throws {
    let found = try endpoints(option)
    #expect(found.traces.address.url == traces)
    #expect(found.logs.address.url == logs)
  }

  @Test func theEnvironment() throws {
    let found = try endpoints(
      "env",
      [
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://b:1/x",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:2",
        "OTEL_EXPORTER_OTLP_HEADERS": "api-key=a%20b, other = c=d ,",
        "OTEL_EXPORTER_OTLP_LOGS_HEADERS": "x=y", "OTEL_EXPORTER_OTLP_TIMEOUT": "1500",
        "OTEL_EXPORTER_OTLP_LOGS_TIMEOUT": "20",
      ])
    // What is of a signal alone is taken as it is.
    #expect(found.traces.address.url == "http://c:2/")
    #expect(found.logs.address.url == "http://b:1/x/v1/logs")
    #expect(found.traces.fields.map(\.name) == ["api-key", "other"])
    #expect(found.traces.fields.map(\.value) == ["a b", "c=d"])
    #expect(found.logs.fields.map(\.name) == ["x"])
    #expect(found.traces.timeout == 1_500_000_000)
    #expect(found.logs.timeout == 20_000_000)
  }

  @Test func theOptionComesBeforeTheEnvironment() throws {
    let found = try endpoints(
      "http://a:1",
      [
        "OTEL_EXPORTER_OTLP_ENDPOINT": "https://b",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://c",
        "OTEL_EXPORTER_OTLP_HEADERS": "x=y",
      ])
    #expect(found.traces.address.url == "http://a:1/v1/traces")
    #expect(found.traces.fields.map(\.value) == ["y"])
  }

  @Test func whoSaysIt() throws {
    let plain = try settings("x.json").resource
    #expect(plain[name: "service.name"] == .string("nftrace"))
    let named = try settings(
      "x.json",
      ["OTEL_RESOURCE_ATTRIBUTES": "service.name=a,deployment.environment.name=lab%2C1"]
    ).resource
    #expect(named[name: "service.name"] == .string("a"))
    #expect(named[name: "deployment.environment.name"] == .string("lab,1"))
    let both = try settings(
      "x.json", ["OTEL_RESOURCE_ATTRIBUTES": "service.name=a", "OTEL_SERVICE_NAME": "b"])
    #expect(both.resource[name: "service.name"] == .string("b"))
  }

  @Test(arguments: [
    ["OTEL_RESOURCE_ATTRIBUTES": "a=b,c"], ["OTEL_RESOURCE_ATTRIBUTES": "a=%zz"],
    ["OTEL_RESOURCE_ATTRIBUTES": "a=%ff"], ["OTEL_EXPORTER_OTLP_HEADERS": "a b=c"],
    ["OTEL_EXPORTER_OTLP_HEADERS": "a=b%0d%0aX: y"], ["OTEL_EXPORTER_OTLP_TIMEOUT": "0"],
    ["OTEL_EXPORTER_OTLP_TIMEOUT": "soon"], ["OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"],
  ])
  func whatIsNotFollowedIsSaid(_ environment: [String: String]) throws {
    let found = try settings("env", environment)
    #expect(found.remarks.count == 1)
    #expect(found.remarks.allSatisfy { !$0.contains("X: y") })
    #expect(found.resource[name: "a"] == nil)
  }

  @Test(arguments: [
    "", "-", "https://a", "ftp://a", "http://", "localhost:4318", "a:4318/v1/traces",
  ])
  func whatCannotBeMeant(_ option: String) {
    #expect(throws: UsageError.self) { try settings(option) }
  }

  /// It says what was asked for, by which name, and what would be right.
  @Test(arguments: [
    ("https://a:4318", [:], "--otlp 'https://a:4318'"),
    (
      "env", ["OTEL_EXPORTER_OTLP_ENDPOINT": "https://b"], "OTEL_EXPORTER_OTLP_ENDPOINT 'https://b'"
    ),
    (
      "env", ["OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "HTTPS://c"],
      "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT 'HTTPS://c'"
    ),
  ])
  func httpsIsNotSpoken(_ option: String, _ environment: [String: String], _ name: String) throws {
    let error = #expect(throws: UsageError.self) { try settings(option, environment) }
    let message = try #require(error).message
    #expect(message.hasPrefix("\(name) is HTTPS, which nftrace does not speak"), "\(message)")
    #expect(message.contains("http://localhost:4318") && message.contains("or name a file"))
  }

  @Test(arguments: ["x.json", "./localhost:4318", "/dev/stdout", "a:b", "/x/a:1"])
  func files(_ option: String) throws {
    guard case .file(let path) = try settings(option).target else {
      Issue.record("\(option) is no file")
      return
    }
    #expect(path == option)
  }

  @Test func theContextOfACommand() throws {
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    let under = TraceContext.ofCommand { $0 == "TRACEPARENT" ? parent : nil }
    #expect(under.parent?.traceParent == parent && under.remark == nil)
    #expect(under.own.traceID == under.parent?.traceID && under.own.spanID != under.parent?.spanID)
    let alone = TraceContext.ofCommand { _ in nil }
    #expect(alone.parent == nil && alone.remark == nil)
    let wrong = TraceContext.ofCommand { _ in "00-x" }
    #expect(wrong.parent == nil && wrong.remark != nil)
  }
}
