/// A signal came before what a command is to do was begun.
package struct Interruption: Error {
  /// Which, as signal(7) numbers them.
  package let signal: Int32
}
