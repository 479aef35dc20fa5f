package import Trace

/// Keeps nothing: of probes that nobody looks at again.
package final class NoSession: SessionSink {
  /// Nothing is kept.
  package init() {}

  /// Nothing is begun.
  package func begin(_ header: SessionHeader) {}
  /// Nothing is written.
  package func write(_ record: Record) {}
}
