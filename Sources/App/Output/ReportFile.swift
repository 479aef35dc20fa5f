package import Kernel
package import Report

/// A report that is written to a file a user named, beside what is told on standard output. It is there when it is
/// whole: what an error ends is removed again.
package final class ReportFile {
  private var file: OutputFile?
  /// What writes it.
  var renderer: any Renderer

  /// Makes the file, or empties the one that is there.
  package init(_ path: String, _ format: ReportFormat, _ style: TextStyle) throws(KernelError) {
    file = try OutputFile(path)
    renderer = format.renderer(style)
  }

  /// Appends lines.
  func write(_ lines: [String]) throws(KernelError) {
    guard !lines.isEmpty, file != nil else { return }
    try file!.write(Array((lines.joined(separator: "\n") + "\n").utf8))
  }

  /// Nothing more comes.
  func finish() { file = nil }

  deinit { if file != nil { file!.abandon() } }
}
