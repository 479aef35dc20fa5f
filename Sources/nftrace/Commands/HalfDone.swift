/// A command that failed, and could not take back all that it had done.
struct HalfDone: Error {
  let cause: any Error
  let failures: [any Error]
}
