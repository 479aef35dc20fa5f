/// A signal came before the setup was whole.
package struct SetupInterrupted: Error {
  /// Which, as signal(7) numbers them.
  package let signal: Int32
}
