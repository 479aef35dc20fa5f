/// Wrong usage that only shows after the arguments were parsed: exit code 2.
struct UsageError: Error {
  var message: String
  init(_ message: String) { self.message = message }
}
