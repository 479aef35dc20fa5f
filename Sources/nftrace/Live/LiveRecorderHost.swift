import App
import Kernel
import Report
import Trace

/// This machine, for a recorder.
final class LiveRecorderHost: RecorderHost {
  // Signals end it until it is open.
  private(set) lazy var loop: any EventLoop = Loop(takesFlushRequests: true)

  var identity: ProcessIdentity? { .current }

  func store() throws(KernelError) -> any SetupStore { try SetupFiles.current() }

  func kernel(
    of setup: SetupState, writing directories: [String]
  ) throws(KernelError) -> any RecorderKernel {
    try LiveRecorder(setup, writing: directories)
  }

  func file(_ path: String, isOurs: Bool) throws(KernelError) -> any RecordingMedium {
    try RecordingOutput(path, isOurs: isOurs)
  }

  func metrics(_ path: String) -> any MetricsSink { MetricsFile(path) }

  func sayReady(toSetup: Bool) {
    if toSetup { return BackgroundProcess.sayReady() }
    do {
      try ServiceManager.waiting?.sayReady()
    } catch {
      // It records all the same; who waits will say that it heard nothing.
      Output.complain("\(error)")
    }
  }
}

extension MetricsFile: MetricsSink {}
