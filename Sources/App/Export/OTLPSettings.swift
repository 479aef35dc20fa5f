package import Kernel
package import Report
internal import Trace
internal import Wire

/// Where `--otlp` exports to, and as whom: what the option and the environment say, as OpenTelemetry specifies it.
///
/// https://opentelemetry.io/docs/specs/otel/protocol/exporter/
package struct OTLPSettings {
  /// Where it goes.
  package var target: Target
  /// Who says it, by `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`.
  package var resource: OTLPAttributes
  /// What of the environment is not followed, each in a sentence.
  package var remarks: [String] = []

  /// Where something goes.
  package enum Target {
    /// To a file, in JSON.
    case file(String)
    /// To a collector, in protobuf.
    case collector(traces: Courier.Endpoint, logs: Courier.Endpoint)
  }

  /// Nanoseconds that a collector may take at most; none for a file.
  package var timeout: UInt64 {
    switch target {
    case .file: 0
    case .collector(let traces, let logs): max(traces.timeout, logs.timeout)
    }
  }

  /// What `--otlp env` exports to where the environment says nothing.
  private static let usual = "http://localhost:4318"
  /// Milliseconds that a request takes at most where nobody says otherwise, and that anybody may ask for.
  private static let usualTimeout = 10_000
  private static let longest = 3_600_000

  private enum Signal: String, CaseIterable {
    case traces, logs

    var path: String { "/v1/\(rawValue)" }
  }

  /// What the option's value means in an environment. Throws where it cannot be meant.
  package init(
    _ option: String, environment: (String) -> String?
  ) throws(UsageError) {
    resource = OTLPAttributes()
    target = .file(option)
    /// What is set to nothing is not set.
    func variable(_ name: String) -> String? {
      environment("OTEL_\(name)").flatMap { $0.isEmpty ? nil : $0 }
    }
    readResource(variable)
    if option.isEmpty || option == "-" {
      throw UsageError(
        "--otlp is the URL of a collector, such as \(Self.usual), 'env' for what OTEL_EXPORTER_OTLP_ENDPOINT says, "
          + "or a file: /dev/stdout is standard output")
    }
    guard option == "env" || option.contains("://") else {
      if Self.isWithoutScheme(option) {
        throw UsageError(
          "--otlp '\(option)' may be a collector, http://\(option), or a file, ./\(option): say which"
        )
      }
      return
    }
    if let spoken = variable("EXPORTER_OTLP_PROTOCOL"), !spoken.hasPrefix("http/") {
      remarks.append(
        "OTEL_EXPORTER_OTLP_PROTOCOL is \(spoken), and nftrace speaks http/protobuf: to a collector's port for that, 4318 "
          + "mostly")
    }
    let base = option == "env" ? nil : option
    let urls = try Signal.allCases.map { signal throws(UsageError) in
      try Self.url(of: signal, base, variable)
    }
    let fields = Signal.allCases.map { headers(of: $0, variable) }
    let timeouts = Signal.allCases.map { timeout(of: $0, variable) }
    target = .collector(
      traces: Courier.Endpoint(urls[0], fields: fields[0], timeout: timeouts[0]),
      logs: Courier.Endpoint(urls[1], fields: fields[1], timeout: timeouts[1]))
  }

  /// Whether it is a host and a port, as a file is hardly called.
  private static func isWithoutScheme(_ text: String) -> Bool {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    return parts.count == 2 && !parts[0].isEmpty && !parts[0].contains("/")
      && UInt16(parts[1].prefix { $0 != "/" }) != nil
  }

  // MARK: The environment

  /// Where a signal goes. A URL that is given for both has `/v1/traces` and `/v1/logs` behind its path; one that has
  /// the one already has the other beside it. One that is given for a signal alone is taken as it is.
  private static func url(
    of signal: Signal, _ option: String?, _ variable: (String) -> String?
  ) throws(UsageError) -> HTTPAddress {
    let own = "EXPORTER_OTLP_\(signal.rawValue.uppercased())_ENDPOINT"
    if option == nil, let text = variable(own) { return try address(text, "OTEL_\(own)") }
    let common = variable("EXPORTER_OTLP_ENDPOINT")
    let name = option != nil ? "--otlp" : "OTEL_EXPORTER_OTLP_ENDPOINT"
    var address = try address(option ?? common ?? usual, name)
    let query = address.path.drop { $0 != "?" }
    var path = address.path.prefix { $0 != "?" }
    for other in Signal.allCases where path.hasSuffix(other.path) {
      path = path.dropLast(other.path.utf8.count)
    }
    while path.hasSuffix("/") { path.removeLast() }
    address.path = path + signal.path + query
    return address
  }

  private static func address(_ url: String, _ name: String) throws(UsageError) -> HTTPAddress {
    do {
      return try HTTPAddress(url: url)
    } catch {
      switch error {
      case .encrypted:
        throw UsageError(
          "\(name) '\(url)' is HTTPS, which nftrace does not speak: have a collector on this machine or in its network "
            + "take it by HTTP, \(usual), and send it on encrypted; or name a file, which its otlpjsonfile receiver reads"
        )
      case .notHTTP:
        throw UsageError("\(name) '\(url)' is no URL of HTTP, such as \(usual)")
      case .malformed:
        throw UsageError("\(name) '\(url)' is no URL that can be sent to, such as \(usual)")
      }
    }
  }

  /// `key1=value1,key2=value2`, with percent signs before what has a meaning; nil where one of them is none.
  private static func pairs(_ text: String) -> [(name: String, value: String)]? {
    var pairs: [(String, String)] = []
    for part in text.split(separator: ",") {
      // What W3C Baggage has behind a semicolon has no meaning here.
      let pair = part.prefix { $0 != ";" }
      guard let equals = pair.firstIndex(of: "="),
        let name = decoded(trimmed(pair[..<equals])), !name.isEmpty,
        let value = decoded(trimmed(pair[pair.index(after: equals)...]))
      else { return nil }
      pairs.append((name, value))
    }
    return pairs
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var text = text
    while text.first == " " || text.first == "\t" { text.removeFirst() }
    while text.last == " " || text.last == "\t" { text.removeLast() }
    return text
  }

  private static func decoded(_ text: Substring) -> String? {
    var octets: [UInt8] = []
    var rest = text.utf8[...]
    while let next = rest.popFirst() {
      guard next == UInt8(ascii: "%") else {
        octets.append(next)
        continue
      }
      guard rest.count >= 2, let octet = UInt8(String(rest.prefix(2)) ?? "", radix: 16) else {
        return nil
      }
      octets.append(octet)
      rest = rest.dropFirst(2)
    }
    return String(validating: octets, as: UTF8.self)
  }

  private mutating func headers(
    of signal: Signal, _ variable: (String) -> String?
  ) -> [(name: String, value: String)] {
    var name = "EXPORTER_OTLP_\(signal.rawValue.uppercased())_HEADERS"
    if variable(name) == nil { name = "EXPORTER_OTLP_HEADERS" }
    guard let text = variable(name) else { return [] }
    guard let pairs = Self.pairs(text),
      pairs.allSatisfy({ HTTPRequest.isToken($0.name) && HTTPRequest.isValue($0.value) })
    else {
      // Nothing of it is told: it may be a password.
      remark("OTEL_\(name) is not followed: it is to be NAME=VALUE,NAME=VALUE")
      return []
    }
    return pairs
  }

  /// Nanoseconds.
  private mutating func timeout(of signal: Signal, _ variable: (String) -> String?) -> UInt64 {
    var name = "EXPORTER_OTLP_\(signal.rawValue.uppercased())_TIMEOUT"
    if variable(name) == nil { name = "EXPORTER_OTLP_TIMEOUT" }
    var milliseconds = Self.usualTimeout
    if let text = variable(name) {
      if let number = Int(text), (1...Self.longest).contains(number) {
        milliseconds = number
      } else {
        remark(
          "OTEL_\(name) is not followed: it is to be milliseconds, 1 to \(Self.longest)")
      }
    }
    return UInt64(milliseconds) * 1_000_000
  }

  private mutating func readResource(_ variable: (String) -> String?) {
    resource[name: "service.name"] = .string("nftrace")
    if let text = variable("RESOURCE_ATTRIBUTES") {
      if let pairs = Self.pairs(text) {
        for (name, value) in pairs { resource[name: name] = .string(value) }
      } else {
        remark("OTEL_RESOURCE_ATTRIBUTES is not followed: it is to be name=value,name=value")
      }
    }
    if let name = variable("SERVICE_NAME") { resource[name: "service.name"] = .string(name) }
  }

  private mutating func remark(_ text: String) {
    if !remarks.contains(text) { remarks.append(text) }
  }
}
