package import Trace

/// What is known of a report when it begins.
package struct ReportHead: Sendable {
  /// The command that tells it.
  package var command: Command
  /// The first session's header; nil where there is none.
  package var header: SessionHeader?
  /// The file that is told.
  package var session: String?
  /// The places whose traffic is told as one, where it is more than one.
  package var sites: [Site]
  /// In how many ways one probe each is sent: what differs is told before them, once it is known.
  package var ways = 1

  /// Commands that tell of packets; the raw value is the name in JSON.
  package enum Command: String, Sendable {
    /// Probes are the result.
    case ping
    /// Packets are.
    case show
  }

  /// The head of these fields.
  package init(
    _ command: Command, header: SessionHeader? = nil, session: String? = nil,
    sites: [Site] = []
  ) {
    self.command = command
    self.header = header
    ways = header?.probe?.ways ?? 1
    self.session = session
    self.sites = sites
  }
}
