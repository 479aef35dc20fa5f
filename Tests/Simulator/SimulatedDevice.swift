internal import App
package import Kernel
package import Trace

/// The TUN device of a diversion, whose packets are put in by the test.
package final class SimulatedDevice: DivertedPackets {
  private let loop: SimulatedLoop
  /// Packets that come, and when.
  package var coming: [(time: UInt64, octets: [UInt8])] = []
  /// What was given back.
  package private(set) var written: [[UInt8]] = []
  /// The errno with which packets are refused; nil for none.
  package var refusal: Int32?

  /// Nothing comes yet.
  package init(_ loop: SimulatedLoop) {
    self.loop = loop
    loop.wake { [unowned self] in
      [coming.first?.time, lost?.time].compactMap { $0 }.min()
    }
  }

  package var descriptor: Int32 { -1 }
  package var changesDescriptor: Int32 { -1 }
  package var name: String { "nftrace0" }
  package var remarks: [String] { [] }
  /// What is done to it, and when.
  package var lost: (time: UInt64, loss: Diversion.Loss)?
  /// What was to be changed about answers.
  package private(set) var translations: [AnswerChange] = []

  package func translate(_ change: AnswerChange) throws(KernelError) { translations.append(change) }

  package func loss() throws(KernelError) -> Diversion.Loss? {
    guard let lost, lost.time <= loop.now else { return nil }
    return lost.loss
  }

  package func end(drain: () -> Void) throws(KernelError) { drain() }

  package func read(into buffer: inout [UInt8]) throws(KernelError) -> Int? {
    guard let first = coming.first, first.time <= loop.now else { return nil }
    coming.removeFirst()
    loop.now += 2000
    buffer.replaceSubrange(0..<first.octets.count, with: first.octets)
    return first.octets.count
  }

  package func write(_ buffer: [UInt8], count: Int) throws(KernelError) {
    if let refusal { throw KernelError(cannot: "write", function: "write", errno: refusal) }
    written.append(Array(buffer[..<count]))
  }
}

/// Lines that are kept in memory.
package final class SimulatedLines: LineSink {
  /// What was written.
  package private(set) var text = ""
  package var skipped = 0
  package private(set) var isPending = false

  /// Nothing yet.
  package init() {}

  package func write(_ line: String) throws(KernelError) { text += line }

  package func flush() throws(KernelError) {}

  package func finish(patience: UInt64) throws(KernelError) {}
}
