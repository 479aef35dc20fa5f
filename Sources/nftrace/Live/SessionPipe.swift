import App
import Kernel

/// A session that goes into a pipe as it comes: 'record -' and 'extcap --capture'.
enum SessionPipe {
  /// Writes what is reported in the namespace that was asked for; with `past`, also what its recorder's file has.
  /// Returns the signal that ended it.
  static func write(
    to sink: PatientOutput, past: Bool = false, _ shared: SharedOptions
  ) throws -> Int32? {
    let space = try shared.chosenNamespace()
    try space.enter()
    try SharedOptions.takeBackLeftovers()
    var run = CaptureRun(LiveShow(), past: past)
    return try run.run(space, to: sink)
  }
}
