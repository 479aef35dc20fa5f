import App
import Kernel
import Trace

/// The lines of a setup's rules as they come into the kernel log, from now on.
final class LoggedTraffic: FollowedTraffic {
  private var log: KernelLog
  private var decoder: KernelLogDecoder
  private var lost = 0
  private var isListening = true

  init(_ setup: SetupState) throws {
    log = try KernelLog(fromNow: true)
    decoder = KernelLogPlayback.decoder(setup)
  }

  /// The log goes on whatever happens: once nobody listens any more, there is nothing to wait for.
  var fileDescriptor: Int32? { isListening ? log.fileDescriptor : nil }

  func stopListening() {
    if isListening { KernelLogPlayback.sayDamage(decoder, KernelLog.path) }
    isListening = false
  }

  func read(_ body: (SessionDecoder.Element) throws -> Void) throws -> Bool {
    let bytes = try log.read()
    decoder.feed(bytes)
    while let element = decoder.next() { try body(element) }
    if log.lost > lost {
      try body(.record(Record(time: Clock.realtime, .lost(log.lost - lost))))
      lost = log.lost
    }
    return bytes.isEmpty
  }
}

extension FollowedSource {
  /// What the setup of a namespace, which is the calling thread's, writes into the kernel log.
  init(kernelLogOf space: ChosenNamespace) throws {
    let setupFiles = try SetupFiles.current()
    self.init(
      try LoggedTraffic(KernelLogPlayback.setup(setupFiles)), in: space,
      files: [StateDirectory.path], end: Self.end(of: setupFiles, in: space))
  }
}
