internal import Kernel
package import Trace
internal import Wire

/// The flows of a recording, as questions.
package enum RecordedQuestions {
  /// Asks once for each flow of a session: a file, or a recording by its name. What it says is read by an nftrace
  /// without rights. Throws where it cannot be read.
  package static func read(_ session: String) throws -> [FirewallTest] {
    let (code, output) = try ChildProcess.ourselves(["show", "--flows", "--json", session])
    guard code == 0, case .object(let report) = try? JSONValue(output),
      case .array(let flows)? = report.first(where: { $0.0 == "flows" })?.1
    else {
      throw UsageError(code == 0 ? "\(session) has no flows" : Self.words(output))
    }
    let questions = flows.enumerated().compactMap { place, flow in question(flow, place + 1) }
    guard !questions.isEmpty else { throw UsageError("there are no flows in \(session)") }
    return questions
  }

  /// What another nftrace complains of, without its name before it.
  private static func words(_ complaint: String) -> String {
    let name = "nftrace: "
    let text = complaint.hasPrefix(name) ? complaint.dropFirst(name.count) : complaint[...]
    return String(text.reversed().drop { $0 == "\n" }.reversed())
  }

  /// What asks for the packets of a flow; nil for what no probe can be.
  private static func question(_ flow: JSONValue, _ number: Int) -> FirewallTest? {
    guard case .object(let members) = flow else { return nil }
    func text(_ name: String) -> String? {
      if case .string(let text)? = members.first(where: { $0.0 == name })?.1 { text } else { nil }
    }
    guard let source = text("source").flatMap({ IPAddress($0) }),
      let destination = text("destination").flatMap({ IPAddress($0) }),
      let name = text("protocol"), let proto = ProbeProtocol(name == "icmpv6" ? "icmp" : name)
    else { return nil }
    var port: UInt16?
    if case .int(let number)? = members.first(where: { $0.0 == "destination_port" })?.1 {
      port = UInt16(exactly: number)
    }
    if case .required = proto.kind.ports, port == nil { return nil }
    if case .none = proto.kind.ports { port = nil }
    let from: FirewallTest.Origin =
      text("in").map { .behind($0, source) } ?? .local(source)
    var test = FirewallTest(
      name: "", line: number, from: from, destination: destination, proto: proto, port: port,
      expected: Expectation(.accept))
    test.name = test.title
    return test
  }
}
