/// Where observations go.
package enum SetupBackend: String, CaseIterable, Sendable {
  case nflog, log
}
