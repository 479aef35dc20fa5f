import Kernel
import Simulator
import Testing

@testable import App

/// What is said of what went wrong, and the exit code for it.
struct ErrorTests {
  private let heard = HeardOutput()

  private func code(_ error: any Error) -> Int32? {
    Output.$place.withValue(heard) { Output.complain(about: error) }
  }

  @Test func whoseMoveItIsSaysTheCode() {
    #expect(code(UsageError("no such thing")) == 2)
    #expect(code(KernelError(.usage, cannot: "open tun0", errno: 2)) == 2)
    #expect(code(KernelError(cannot: "open tun0", errno: 1, help: "run as root")) == 3)
    #expect(code(Interruption(signal: 15)) == 143)
    #expect(code(CancellationError()) == nil)
    let lines = heard.errors.split(separator: "\n")
    #expect(lines.count == 5)
    #expect(lines.first == "nftrace: no such thing")
    #expect(lines.last == "nftrace: interrupted: everything is as it was before")
    #expect(lines.contains("  run as root"))
  }

  @Test func whereItWasIsSaidFirst() {
    let cause = NamespaceFailure(
      name: "red", error: UsageError("it collides"), consequence: "nothing is set up")
    let error = HalfDone(cause: cause, failures: [KernelError(cannot: "remove tun5", errno: 16)])
    #expect(code(error) == 3)
    let lines = heard.errors.split(separator: "\n")
    #expect(
      lines.prefix(3) == [
        "nftrace: in the network namespace red; nothing is set up:", "nftrace: it collides",
        "nftrace: and not everything that was done could be taken back:",
      ])
    #expect(lines.last?.hasPrefix("nftrace: cannot remove tun5") == true)
  }
}
