package import Trace

extension TraceContext {
  /// The context of a command: a span of its own, under the one that `TRACEPARENT` in the environment names; and what is
  /// to be said where that is none.
  package static func ofCommand(
    environment: (String) -> String?
  ) -> (own: TraceContext, parent: TraceContext?, remark: String?) {
    var generator = SystemRandomNumberGenerator()
    let text = environment("TRACEPARENT").flatMap { $0.isEmpty ? nil : $0 }
    let parent = text.flatMap { TraceContext(traceParent: $0) }
    let isRefused = text != nil && parent == nil
    return (
      TraceContext(under: parent, using: &generator), parent,
      isRefused
        ? "TRACEPARENT is not followed: it is to be 00-<32 hexadecimal digits>-<16>-<2>" : nil
    )
  }
}
