package import Trace

/// A network namespace in which a ping watches its probes, and what it works with there.
package struct PingNamespace {
  /// As it was asked for; nil for the one the command was started in.
  package let name: String?
  /// The file that leads to it; nil where none was asked for.
  package let path: String?
  /// Where it is.
  package let space: ChosenNamespace
  /// Its settings.
  package let settings: any SettingChanges
  /// Its kernel, opened there.
  package let kernel: any PingKernel
  /// Where it is a copy of another one, what was tried there.
  package let rehearsal: Rehearsal?

  /// A namespace of these parts.
  package init(
    name: String?, path: String? = nil, in space: ChosenNamespace = ChosenNamespace(),
    settings: any SettingChanges, kernel: any PingKernel, rehearsal: Rehearsal? = nil
  ) {
    self.name = name
    self.path = path
    self.space = space
    self.settings = settings
    self.kernel = kernel
    self.rehearsal = rehearsal
  }
}
