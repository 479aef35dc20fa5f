package import Kernel
package import Trace

/// What a recorder is made of: in the network namespace of the calling thread.
package protocol RecorderHost {
  /// The clocks and signals.
  var loop: any EventLoop { get }
  /// What is written down of the setup.
  func store() throws(KernelError) -> any SetupStore
  /// Opens what it takes of the kernel, and takes the setup's group. It makes files in `directories`.
  func kernel(
    of setup: SetupState, writing directories: [String]
  ) throws(KernelError) -> any RecorderKernel
  /// Makes the file, or empties it; `isOurs` is one that is kept where nftrace keeps its own.
  func file(_ path: String, isOurs: Bool) throws(KernelError) -> any RecordingMedium
  /// The file in which it tells what it counts.
  func metrics(_ path: String) -> any MetricsSink
  /// This process.
  var identity: ProcessIdentity? { get }
  /// Tells who waits for it that it works: setup, which started it in the background, or else whoever runs it as
  /// a service.
  func sayReady(toSetup: Bool)
}
