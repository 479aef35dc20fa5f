internal import Kernel
internal import Trace

/// Has recorders write down what they have received, so that it can be shown.
enum RecorderFlush {
  /// Nanoseconds that are waited at most, and between two looks.
  private static let patience: UInt64 = 1_000_000_000
  private static let pause: UInt64 = 2_000_000
  /// Nanoseconds after which one that cannot be asked has written what it had received.
  private static let latency: UInt64 = 250_000_000

  /// If a recorder writes this file, waits until what it had received by now is in it.
  static func wait(for path: String, _ host: any ShowHost) {
    guard let recorder = writer(of: path), let process = recorder.living else { return }
    let asked = host.realtime
    let deadline = host.monotonic + patience
    // One of an earlier version would be ended by being asked.
    guard recorder.flushed != nil, process.askToFlush() else {
      return host.pause(nanoseconds: latency)
    }
    while host.monotonic < deadline, let state = writer(of: path), state.flushed ?? 0 < asked {
      host.pause(nanoseconds: pause)
    }
  }

  private static func writer(of path: String) -> RecorderState? {
    (try? RecordingFiles.writers())?.first { $0.session == path }
  }
}
