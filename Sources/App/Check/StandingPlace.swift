package import Trace
internal import Wire

/// A network namespace in which one probe after the other is asked: what looks at them is there once, for all. Of a copy,
/// in which nothing else goes.
package struct StandingPlace {
  private let place: PingPlace
  private let loop: any EventLoop

  /// Watches all that goes in this namespace, in which the calling thread is, as long as this value lives.
  package init(_ namespace: PingNamespace, loop: any EventLoop) throws {
    self.loop = loop
    place = try PingPlace(ofAll: namespace, loop: loop)
    try place.kernel.listen()
    place.appointDeputy()
  }

  /// Sends a probe, and says what came of it, with the exit code of a ping that did that: 128 and more after a signal. What is
  /// wanted besides depends on what was seen of it.
  package func ask(
    _ plan: ProbePlan, entrance: ProbeEntrance, interest: @escaping (ProbeResult) -> ProbeInterest
  ) throws -> (result: ProbeResult?, code: Int32) {
    var printer = PingPrinter()
    var run = try PingRun(
      plan, entrance: entrance, at: [place], loop: loop, sink: NoSession())
    run.interest = interest
    let code = try run.send(&printer, isLast: false)
    return (printer.last, code)
  }
}
