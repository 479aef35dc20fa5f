internal import Report
package import Trace

/// A setup as members of a JSON object, the same for setup, teardown and status.
package enum SetupJSON {
  /// The members, in their order.
  package static func members(
    _ state: SetupState, _ recorder: RecorderState?
  ) -> [(String, JSONValue)] {
    [
      ("subnets", .array(state.subnets.map { .string($0) })),
      ("backend", .string(state.backend)), ("group", .int(state.group)),
      ("tables", .string(SetupTables.name)), ("points", .int(state.points.count)),
      ("tun", state.tun.map(tun) ?? .null),
      ("masquerade", .array(state.masquerade.map { .string($0) })),
      ("forward", .bool(state.forward)), ("since", .int(Int(clamping: state.since))),
      ("process", .int(Int(state.process))),
      ("command_line", .array(state.command.map { .string($0) })),
      ("session", .string(recorder?.session ?? state.session)),
      ("recorder", recorder.map(json) ?? .null),
    ]
  }

  private static func tun(_ tun: SetupState.Tun) -> JSONValue {
    .object([
      ("name", .string(tun.name)), ("made", .bool(tun.isOurs)),
      ("addresses", .array(tun.addresses.map { .string($0) })),
    ])
  }

  /// A recorder as a JSON object.
  package static func json(_ recorder: RecorderState) -> JSONValue {
    .object([
      ("process", .int(Int(recorder.process))), ("alive", .bool(recorder.living != nil)),
      ("session", .string(recorder.session)), ("limit", .int(recorder.limit)),
      ("since", .int(Int(clamping: recorder.since))), ("ended", .int(recorder.ended)),
      ("events", recorder.saysHowFar ? .int(recorder.events) : .null),
      ("lost", recorder.saysHowFar ? .int(recorder.lost) : .null),
      ("unwritten", recorder.saysHowFar ? .int(recorder.unwritten ?? 0) : .null),
      (
        "dropped",
        .object([
          ("records", .int(recorder.dropped.records)), ("octets", .int(recorder.dropped.octets)),
        ])
      ),
      ("replans", .int(recorder.replans)), ("repairs", .int(recorder.repairs)),
      ("error", .string(recorder.error)),
    ])
  }
}
