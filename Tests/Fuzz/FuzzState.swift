import Report
import Trace
import Wire

/// What is kept as JSON, of any content: states of a setup and of a recorder, a session's header, a
/// note. Reading ends, and a value survives being written and read again.
func fuzzState(_ bytes: [UInt8]) {
  let text = String(decoding: bytes, as: UTF8.self)
  if let value = try? JSONValue(text) { precondition((try? JSONValue(value.line)) == value) }
  if let setup = SetupState(json: text) {
    _ = (setup.prefixes, setup.edges)
    precondition(SetupState(json: setup.json) != nil)
  }
  if let recorder = RecorderState(json: text) {
    _ = CalendarText.text(recorder.since)
    precondition(RecorderState(json: recorder.json) != nil)
  }
  if let header = SessionHeader(json: text) {
    precondition(SessionHeader(json: header.json) == header)
    _ = header.probe?.packet(sequence: 1).bytes
    _ = header.probe?.marks
    var report = SessionReport(filter: ExchangeFilter(), style: TextStyle(), format: .json)
    _ = report.take(.header(header))
    if let packet = header.probe?.packet(sequence: 1) {
      _ = report.take(.record(Record(time: .max, .sent(packet.bytes))))
      _ = report.take(.record(Record(time: 0, .received(packet.bytes))))
    }
    _ = report.finish()
  }
  if let note = Note(json: text) { precondition(Note(json: note.json) != nil) }
}
