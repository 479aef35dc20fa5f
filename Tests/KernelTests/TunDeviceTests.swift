import Testing

@testable import Kernel

struct TunDeviceTests {
  @Test(arguments: [
    "", "a23456789012345x", "a/b", ".", "..", "a b", "a:1", "%", "%d%d", "a%s", "a\n",
  ])
  func namesThatCannotBe(_ name: String) {
    #expect(TunDevice.fault(inName: name) != nil)
    let error = #expect(throws: KernelError.self) { _ = try TunDevice(name) }
    if case .usage? = error?.kind {} else { Issue.record("not a usage error") }
  }

  @Test(arguments: ["tun0", "nftrace%d", "a2345678901234x", "eth0.5", "gerät"])
  func namesThatCan(_ name: String) {
    #expect(TunDevice.fault(inName: name) == nil)
  }

  @Test func deviceInFileInfo() {
    #expect(TunUser.device(inInfo: "pos:\t0\nflags:\t0104002\nmnt_id:\t25\niff:\ttun0\n") == "tun0")
    #expect(TunUser.device(inInfo: "pos:\t0\n") == nil)
  }
}
