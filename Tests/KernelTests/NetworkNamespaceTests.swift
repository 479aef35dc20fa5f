import Glibc
@testable import Kernel
import Testing

/// What needs no rights: the errors for names that are none.
struct NetworkNamespaceTests {
  @Test(arguments: [
    ("no-such-name", "no container and no pod"), ("/etc/passwd", "is no network namespace"),
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

struct NamespaceSurveyTests {
  /// proc_pid_mountinfo(5): what is mounted of nsfs, with the escapes that mount points have.
  @Test func mountsOfNamespaces() {
    let text = """
      22 1 0:20 / /sys rw,nosuid - sysfs sysfs rw
      98 25 0:4 net:[4026532201] /run/netns/a\\040b rw shared:9 - nsfs nsfs rw
      99 25 0:4 mnt:[4026532999] /run/mnt rw - nsfs nsfs rw
      97 25 0:4 net:[x] /run/netns/x rw - nsfs nsfs rw
      96 25 0:4 net:[7] /run/netns/net:[8] rw - tmpfs none rw

      """
    let mounts = NamespaceSurvey.mounts(inMountinfo: text)
    #expect(mounts.map(\.identity.inode) == [4_026_532_201])
    #expect(mounts.map(\.path) == ["/run/netns/a b"])
  }

  @Test func oursIsFound() throws {
    let identity = try NetworkNamespace.current().identity
    #expect(NamespaceSurvey().found.contains { $0.identity == identity })
  }

  /// Whoever runs the tests is in it as well.
  @Test func somebodyHoldsOurs() throws {
    var holders = try NamespaceHolders()
    let (first, again) = (holders.areThere(), holders.areThere())
    #expect(first && again)
  }
}

struct FilePartTests {
  @Test func parts() throws {
    let directory = "/tmp/nftrace-part-\(ProcessIdentity.current?.process ?? 0)"
    try OutputFile.makeDirectory(directory)
    let path = "\(directory)/file"
    defer {
      try? StateFile.remove(path)
      _ = unsafe rmdir(directory)
    }
    try StateFile.write("0123456789", to: path)
    func part(_ offset: Int, _ count: Int) -> String? {
      FilePart.read(path, from: offset, count: count).map { String(decoding: $0, as: UTF8.self) }
    }
    #expect(part(0, 4) == "0123" && part(8, 4) == "89" && part(-3, 9) == "789")
    #expect(part(-99, 2) == "01" && part(10, 4) == "" && part(99, 4) == "")
    #expect(FilePart.read("/tmp", from: 0, count: 4) == nil)
    #expect(FilePart.read(path + ".none", from: 0, count: 4) == nil)
  }
}
