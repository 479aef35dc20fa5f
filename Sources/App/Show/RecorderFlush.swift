internal import Kernel
internal import Trace

/// Has recorders write down what they have received, so that it can be shown.
enum RecorderFlush {
  /// Nanoseconds that are waited at most, and between two looks.
  private static let patience: UInt64 = 1_000_000_000
  private static let pause: UInt64 = 2_000_000

  /// If a recorder writes this file, waits until what it had received by now is in it.
  static func wait(for path: String, _ host: any ShowHost) {
    // One of an earlier version would be ended by being asked.
    guard let recorder = writer(of: path), recorder.flushed != nil, let process = recorder.living
    else { return }
    let asked = host.realtime
    let deadline = host.monotonic + patience
    guard process.askToFlush() else { return }
    while host.monotonic < deadline, let state = writer(of: path), state.flushed ?? 0 < asked {
      host.pause(nanoseconds: pause)
    }
  }

  private static func writer(of path: String) -> RecorderState? {
    (try? RecordingFiles.writers())?.first { $0.session == path }
  }
}
