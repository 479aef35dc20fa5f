import Report
import Trace
import Wire

/// Records of any content behind a session's header, without a file's blocks around them, which would
/// have to be right first. Text, JSON and what is followed live are told of them.
///
/// The input: the header's length in two octets, the header as JSON, then records: the kind in an
/// octet, microseconds since the one before in two, the length in two, the octets.
func fuzzStory(_ bytes: [UInt8]) {
  let elements = elements(bytes)
  var all = TextStyle(verbosity: .verbose)
  all.allRules = true
  for format in [.text, .json] as [ReportFormat] {
    var rest = elements[...]
    var report = SessionReport(filter: ExchangeFilter(), style: all, format: format)
    report.play(1, next: { _ in rest.popFirst() }, put: { _ in })
  }
  var follow = FollowReport(filter: ExchangeFilter(), style: TextStyle(), rate: 2)
  for element in elements {
    _ = follow.take(element)
    if case .record(let record) = element { _ = follow.pass(to: record.time) }
  }
  _ = follow.finish()
}

private func elements(_ bytes: [UInt8]) -> [SessionDecoder.Element] {
  var reader = ByteReader(bytes.span)
  guard let length = try? reader.u16(), let json = try? reader.take(Int(length)) else { return [] }
  var elements = [
    SessionDecoder.Element.header(SessionHeader(json: String(decoding: json, as: UTF8.self)))
  ]
  var time: UInt64 = 1_700_000_000_000_000_000
  while let kind = try? reader.u8(), let later = try? reader.u16(),
    let length = try? reader.u16(), let content = try? reader.take(Int(length))
  {
    // The highest ones turn time back, and to its ends.
    switch later {
    case 0xffff: time = .max
    case 0xfffe: time = 0
    case 0xff00...: time = time.earlier(by: UInt64(later & 0xff) << 24)
    default: time = time.later(by: UInt64(later) * 1000)
    }
    guard let content = record(kind, content) else { continue }
    elements.append(.record(Record(time: time, content)))
  }
  return elements
}

private func record(_ kind: UInt8, _ content: [UInt8]) -> Record.Content? {
  switch kind {
  case 0: return .log(content)
  case 1:
    var reader = ByteReader(content.span)
    return (try? NetlinkMessage(parsing: &reader)).map { .netlink($0) }
  case 2: return .sent(content)
  case 3: return .received(content)
  case 4: return .lost(content.first.map { Int($0) << 55 })
  case 5: return Note(json: String(decoding: content, as: UTF8.self)).map { .note($0) }
  default: return (try? LogLine(content)).map { .line($0) }
  }
}
