package import Kernel
internal import Report
package import Trace
internal import Wire

/// What `record --otlp` exports: samples of what is dropped, as log records.
///
/// A process of its own reads what the recorder writes, as `show --follow` does, and tells packets: the recorder waits
/// for nobody, and what is not exported yet waits in its file.
package final class DropExport {
  private let companion: Companion
  private let patience: UInt64

  /// Nanoseconds between two looks at the file, and two exports.
  private static let pause: UInt64 = 200_000_000
  private static let interval: UInt64 = 2_000_000_000
  /// What there is to do besides, when it ends.
  private static let grace: UInt64 = 3_000_000_000

  /// Starts it, to read the file `path`, which will be there when it begins. To be called in the network namespace from
  /// which the collector can be reached, while there is one thread.
  package init(
    of path: String, _ settings: OTLPSettings, context: TraceContext, samples: Int
  ) throws(KernelError) {
    patience = settings.timeout + Self.grace
    // What is wrong with a file is said now; it is opened again by who writes it.
    if case .file(let path) = settings.target { _ = try OutputFile(path) }
    let companion = Companion { call in
      do throws(KernelError) {
        // Nothing that is open here is open there.
        let export = try OTLPExport(settings, context: context)
        export.isPersistent = true
        return Self.work(path, export, samples, call)
      } catch {
        return ["\(error)"]
      }
    }
    guard let companion else {
      throw KernelError(cannot: "start who exports", function: "fork")
    }
    self.companion = companion
  }

  /// The file is there, and will be written.
  package func begin() { companion.begin() }

  /// Exports the rest, and says what could not be; waits no longer than the collector may take.
  package func finish(isInterrupted: () -> Bool) {
    guard let lines = companion.end(patience: patience, isInterrupted: isInterrupted) else {
      return Output.complain("what was dropped was not exported to its end")
    }
    for line in lines { Output.complain("\(line)") }
  }

  private static func work(
    _ path: String, _ export: OTLPExport, _ samples: Int, _ call: borrowing Companion.Call
  ) -> [String] {
    guard call.waitForBegin() else { return [] }
    do {
      try Privileges.keep([], reading: [path])
      let file = try FollowedFile(path)
      // What a rule says is recorded a moment after the first packet that it dropped.
      var stories = NamespacesStory(pace: .whole)
      var chosen = DropSamples(perMinute: samples)
      func tell(_ exchanges: [Exchange]) {
        for exchange in exchanges { export.take(chosen.take(exchange)) }
      }
      var nextExport = Clock.monotonic + interval
      while true {
        let isOver = call.isOver
        // Of what there is, a part each time.
        let isAll = try file.read { element in
          switch element {
          case .header(let header):
            export.take(.header(header))
            tell(stories.begin(header, from: 0))
          case .record(let record): tell(stories.take(record, from: 0))
          }
        }
        if isAll {
          if isOver { break }
          tell(stories.pass(to: Clock.realtime.earlier(by: Pace.whole.latency)))
        }
        // What comes while a collector is slow goes together.
        if Clock.monotonic > nextExport, !export.isBusy {
          export.flush()
          nextExport = Clock.monotonic + interval
        }
        if isAll { call.wait(nanoseconds: pause) }
      }
      tell(stories.finish())
    } catch {
      return ["\(error)"] + export.end()
    }
    return export.end()
  }
}
