import App
import Kernel
import Report
import Trace

/// The trace that this command is part of: one, whatever says it.
enum CommandTrace {
  private static let command = TraceContext.ofCommand(environment: Terminal.environment)

  /// Its own span.
  static var context: TraceContext { command.own }
  /// The span that this is under, in the caller's trace.
  static var parent: TraceContext? { command.parent }

  /// The span of the probes that are sent one way, of several: those of another way are others.
  static func context(ofWay way: Int) -> TraceContext {
    if way == 0 { return context }
    var generator = SystemRandomNumberGenerator()
    return TraceContext(under: context, using: &generator)
  }

  /// The context of probes that nobody is told of.
  static func another() -> TraceContext {
    var generator = SystemRandomNumberGenerator()
    return TraceContext(under: nil, using: &generator)
  }

  /// Takes this `traceparent` for the caller's, before anybody asks.
  static func take(_ text: String) { Terminal.setEnvironment("TRACEPARENT", text) }

  /// Says what of the caller's is not followed.
  static func remark() {
    if let remark = command.remark { Output.complain("\(remark)") }
  }
}
