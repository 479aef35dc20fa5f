internal import App
package import Kernel
internal import Report
package import Trace

/// A session that is kept in memory.
package final class SimulatedSink: SessionSink {
  private let faults: Faults
  /// What was written.
  package private(set) var elements: [SessionDecoder.Element] = []

  /// Empty.
  package init(_ faults: Faults = Faults()) { self.faults = faults }

  package func begin(_ header: SessionHeader) throws(KernelError) {
    try faults.check(.sessionBegin)
    elements.append(.header(header))
  }

  package func write(_ record: Record) throws(KernelError) {
    try faults.check(.sessionWrite)
    elements.append(.record(record))
  }

  /// The records that were written.
  package var records: [Record] {
    elements.compactMap { if case .record(let record) = $0 { record } else { nil } }
  }

  /// What 'nftrace show' tells of it.
  package var shown: String { RecordedSession.told(elements) }
}
