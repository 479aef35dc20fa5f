package import Report

/// How a command is to tell what came of it.
package struct OutputOptions: Sendable {
  /// JSON instead of text.
  package var json: Bool
  /// How text is to look.
  package var style: TextStyle
  /// The network namespace that was asked for, if it is one.
  package var netns: String?

  /// Options of these values.
  package init(json: Bool, style: TextStyle, netns: String? = nil) {
    self.json = json
    self.style = style
    self.netns = netns
  }

  /// The first line alone.
  package var isQuiet: Bool { style.verbosity == .quiet }
  /// Everything.
  package var isVerbose: Bool { style.verbosity == .verbose }
}
