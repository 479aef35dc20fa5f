internal import Report
package import Trace

/// What is to be shown, and how.
package struct ShowRequest {
  /// What somebody named: files, recordings, directories of these; none for what is recorded in the namespaces.
  package var named: [String]
  /// The one that was named, where it is one.
  var file: String? { named.count == 1 ? named[0] : nil }
  /// Which packets.
  package var filter: ExchangeFilter
  /// So many exchanges at the end; nil for all.
  package var last: Int?
  /// Whether flows are to be told, and not their packets.
  package var flows = false
  /// Where a page for a browser is written to.
  package var html: String?
  /// Where a picture is written to.
  package var svg: String?
  /// Where what is shown goes, if not to standard output.
  var pages: [Page] {
    [(html, ReportFormat.html), (svg, .svg)].compactMap { path, format in
      path.map { Page(path: $0, format: format) }
    }
  }

  /// A file that a report is written to.
  struct Page {
    var path: String
    var format: ReportFormat
  }

  /// Where the NFLOG messages are written to.
  package var export: String?
  /// Where it is exported to as well.
  package var otlp: OTLPExport?
  /// How it is told.
  package var options: OutputOptions

  /// A request of these values.
  package init(
    named: [String] = [], filter: ExchangeFilter = ExchangeFilter(), last: Int? = nil,
    html: String? = nil, export: String? = nil, options: OutputOptions
  ) {
    self.named = named
    self.filter = filter
    self.last = last
    self.html = html
    self.export = export
    self.options = options
  }
}
