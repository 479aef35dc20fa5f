import Testing
import Wire

@testable import Trace

struct JSONTests {
  @Test func readsWhatItWrites() throws {
    let value = JSONValue.object([
      ("z", .null), ("a", .bool(true)), ("n", .array([.int(.min), .int(.max), .unsigned(.max)])),
      ("d", .decimal("0.3")), ("t", .tenths(1.25)), ("e", .object([])), ("l", .array([])),
      ("s", .string("\"\\/\n\t\r\u{1}\u{7f}\u{202e}ü→\u{1f600}\u{e0041}")),
      ("o", .object([("x", .object([("y", .array([.array([.string("")])]))]))])),
    ])
    #expect(try JSONValue(value.line) == value)
    #expect(try JSONValue(value.pretty()) == value)
  }

  @Test(arguments: [
    ("\"\\u00e4\\ud83d\\ude00\\b\\f\\/\"", JSONValue.string("ä😀\u{8}\u{c}/")),
    (" [ 1 , -0 ] ", .array([.int(1), .int(0)])), ("1e3", .decimal("1e3")),
    ("-1.50E+2", .decimal("-1.50E+2")), ("9223372036854775808", .unsigned(1 << 63)),
    ("18446744073709551616", .decimal("18446744073709551616")), ("\t\r\n null", .null),
    ("{\"a\" : {} }", .object([("a", .object([]))])),
  ])
  func texts(_ text: String, _ value: JSONValue) throws {
    #expect(try JSONValue(text) == value)
  }

  @Test(arguments: [
    ("", 0), (" ", 1), ("nul", 0), ("True", 0), ("1 2", 2), ("01", 1), ("-", 1), ("1.", 2),
    ("1e", 2), ("+1", 0), (".5", 0), ("[1,]", 3), ("[1 2]", 3), ("[", 1), ("{\"a\"}", 4),
    ("{\"a\":1,}", 7),
    ("{a:1}", 1), ("{\"a\":1,\"a\":2}", 7), ("\"", 0), ("\"\\\"", 0), ("\"a\u{1}\"", 2),
    ("\"\\x\"", 1), ("\"\\u12g4\"", 5), ("\"\\ud800\"", 1), ("\"\\ud800\\u0041\"", 1),
    ("\"\\udc00\"", 1), ("NaN", 0), ("[1]]", 3), ("'a'", 0),
  ])
  func faults(_ text: String, _ offset: Int) throws {
    do throws(JSONFault) {
      let value = try JSONValue(text)
      Issue.record("\(text) is read as \(value.line)")
    } catch {
      guard case .syntax(let place, _) = error else {
        Issue.record("\(text): \(error)")
        return
      }
      #expect(place == offset, "\(text): \(error)")
    }
  }

  @Test func everyTruncationIsRefused() {
    let text = "{\"a\":[1.5e-3,true,null,{\"b\":\"\\u00e4\\\\\"}]}"
    for count in 0..<text.count {
      #expect(throws: JSONFault.self) { try JSONValue(String(text.prefix(count))) }
    }
  }

  @Test func boundsHold() throws {
    let deep = { String(repeating: "[", count: $0) + String(repeating: "]", count: $0) }
    _ = try JSONValue(deep(JSONReader.mostDepth))
    #expect(throws: JSONFault.self) { try JSONValue(deep(JSONReader.mostDepth + 1)) }
    #expect(throws: JSONFault.self) { try JSONValue(deep(1_000_000)) }
    #expect(throws: JSONFault.self) {
      try JSONValue(String(repeating: " ", count: JSONReader.mostOctets) + "1")
    }
  }

  /// What is wrong with a header or a state is found by its name.
  @Test func faultsOfMembers() throws {
    func fault(_ text: String) -> JSONFault? {
      do throws(JSONFault) {
        _ = try RecordingEnd(json: try JSONValue(text))
        return nil
      } catch {
        return error
      }
    }
    let end = RecordingEnd(reason: "r", events: 1, lost: 2, ended: 3)
    #expect(try RecordingEnd(json: JSONValue(end.asJSON.line)) == end)
    #expect(fault("[]") == .unfit(""))
    #expect(fault("{}") == .missing("dropped"))
    let text = end.asJSON.line
    #expect(fault(text.replacing("\"lost\":2", with: "\"lost\":2.0")) == .unfit("lost"))
    #expect(fault(text.replacing("\"records\":0", with: "\"records\":\"0\"")) == .unfit("records"))
    #expect(fault(text.replacing("\"ended\":3", with: "\"ended\":-1")) == .unfit("ended"))
    #expect(fault(text.replacing("\"ended\":3", with: "\"later\":[],\"ended\":3")) == nil)
    #expect("\(JSONFault.missing("a"))" == "there is no \"a\"")
    #expect("\(JSONFault.unfit("b"))" == "\"b\" is not what it should be")
  }

  @Test(arguments: [
    Note.counters(["IpInAddrErrors": .max, "ct.drop": 0]), .sysctls(["net.ipv4.ip_forward": "1"]),
    .notSent(3, 101), .ended(RecordingEnd(events: 1, lost: 0, ended: .max)),
    .facts(Facts([.dropReasons(missing: nil), .readOnly("net.x")])),
    .rule(
      RuleText(
        family: 2, table: "t", chain: "c", handle: .max, position: nil, text: "x \"y\"\u{202e}",
        tool: .iptablesLegacy)),
  ])
  func notes(_ note: Note) throws {
    #expect(Note(json: note.json) == note)
  }

  /// As sessions have had them from the first version on.
  @Test func notesOfBefore() throws {
    let notes = [
      "{\"notSent\":{\"_0\":1,\"_1\":101}}",
      "{\"facts\":{\"_0\":{\"drop reasons\":\"\",\"legacy tables 4\":\"filter nat\"}}}",
      "{\"counters\":{\"_0\":{\"IpInReceives\":18446744073709551615,\"ct.drop\":0}}}",
      "{\"rule\":{\"_0\":{\"chain\":\"c\",\"family\":2,\"handle\":7,\"table\":\"t\","
        + "\"text\":\"drop\",\"tool\":\"nft\"}}}",
    ]
    for text in notes { #expect(Note(json: text)?.json == text) }
    #expect(Note(json: "{\"unheard\":{\"_0\":1}}") == nil)
    #expect(Note(json: "{\"notSent\":{\"_0\":1}}") == nil)
  }

  @Test func numbersWithFractions() throws {
    var header = SessionHeader(
      command: "ping", version: "1", kernel: "6", points: [], table: "t", legacyNAT: [4: ["SNAT"]])
    header.probe = ProbePlan(
      source: IPAddress("10.0.0.1")!, destination: IPAddress("10.0.0.2")!,
      proto: ProbeProtocol("icmp")!, identifier: 1, count: 1,
      interval: 0.2, timeout: 1, ttl: 64, tos: 0, dontFragment: false, size: 56, nonce: .max,
      device: nil)
    #expect(header.json.contains("\"interval\":0.2,"))
    #expect(header.json.contains("\"timeout\":1,"))
    #expect(header.json.contains("\"nonce\":18446744073709551615,"))
    #expect(header.json.contains("\"legacyNAT\":{\"4\":[\"SNAT\"]}"))
    #expect(SessionHeader(json: header.json) == header)
  }
}
