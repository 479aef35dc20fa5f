/// When to use colours.
package enum ColorChoice: String, CaseIterable, Sendable {
  case auto, always, never
}
