import Kernel
import Testing

/// What needs no rights: the errors for names that are none.
struct NetworkNamespaceTests {
  @Test(arguments: [
    ("no-such-name", "'ip netns' lists"), ("/etc/passwd", "is no network namespace"),
    ("/nowhere/at/all", "No such file"), ("999999999", "no such process"), ("", "no name"),
    ("/proc/self/ns/mnt", "is no network namespace"),
  ])
  func refusals(_ text: String, _ reason: String) {
    let error = #expect(throws: KernelError.self) { _ = try NetworkNamespace(text) }
    #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
    if case .usage? = error?.kind {} else { Issue.record("not a usage error") }
  }

  @Test func currentHasAnIdentity() throws {
    #expect(try NetworkNamespace.current().identity.description.hasPrefix("net:[40"))
  }
}
