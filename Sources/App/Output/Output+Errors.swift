internal import Kernel
internal import Report

extension Output {
  /// Says what went wrong. Returns the exit code for it; nil, and says nothing, where that is nothing a
  /// command throws itself.
  package static func complain(about error: any Error) -> Int32? {
    switch error {
    case let failure as KernelError:
      complain("\(failure as any Error)")
      return failure.kind == .usage ? 2 : 3
    case let failure as NamespaceFailure:
      let rest = failure.consequence.map { "; \($0)" } ?? ""
      let name = failure.name.isEmpty ? "''" : failure.name
      complain("in the network namespace \(name)\(rest):")
      return complain(about: failure.error)
    case let failure as HalfDone:
      _ = complain(about: failure.cause)
      complain("and not everything that was done could be taken back:")
      for failure in failure.failures { _ = complain(about: failure) }
      return 3
    case let interruption as Interruption:
      complain("interrupted: everything is as it was before")
      return 128 + interruption.signal
    case let failure as UsageError:
      complain(StyledLine(failure.message))
      return 2
    default: return nil
    }
  }
}
