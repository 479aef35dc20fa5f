import Glibc

/// A signal came before the setup was whole.
struct SetupInterrupted: Error {
  let signal: Int32
}
