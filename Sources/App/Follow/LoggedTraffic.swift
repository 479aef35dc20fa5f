internal import Kernel
package import Trace

/// The lines of a setup's rules as they come into the kernel log, from now on.
package final class LoggedTraffic: FollowedTraffic {
  private let log: any KernelLogSource
  private let host: any ShowHost
  private var decoder: KernelLogDecoder
  private var lost = 0
  private var isListening = true

  /// Begins to listen.
  package init(_ setup: SetupState, _ host: any ShowHost) throws {
    self.host = host
    log = try host.kernelLog(fromNow: true)
    decoder = KernelLogPlayback.decoder(setup, host)
  }

  /// The log goes on whatever happens: once nobody listens any more, there is nothing to wait for.
  package var fileDescriptor: Int32? { isListening ? log.fileDescriptor : nil }

  /// What could not be read is said.
  package func stopListening() {
    if isListening { KernelLogPlayback.sayDamage(decoder, KernelLog.path) }
    isListening = false
  }

  /// Hands on what is new; returns whether that was all.
  package func read(_ body: (SessionDecoder.Element) throws -> Void) throws -> Bool {
    let bytes = try log.read()
    decoder.feed(bytes)
    while let element = decoder.next() { try body(element) }
    if log.lost > lost {
      try body(.record(Record(time: host.realtime, .lost(log.lost - lost))))
      lost = log.lost
    }
    return bytes.isEmpty
  }
}
