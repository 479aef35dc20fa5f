import Kernel
import Testing

struct SysctlTests {
  @Test func paths() throws {
    let setting = try #require(Sysctl.interface("eth0.5", family: 4, "rp_filter"))
    #expect(setting.path == "net/ipv4/conf/eth0.5/rp_filter")
    #expect(setting.description == "net.ipv4.conf.eth0/5.rp_filter")
    #expect(Sysctl(path: "net/ipv4/ip_forward") == .forwarding4)
    for path in ["kernel/hostname", "net", "net/../kernel/hostname", "net//x", "", "net/ipv4/"] {
      #expect(Sysctl(path: path) == nil, "\(path)")
    }
    #expect(Sysctl.interface("../../x", family: 4, "forwarding") == nil)
  }

  @Test func reading() throws {
    #expect(["0", "1"].contains(try Sysctl.forwarding4.read()))
    #expect(Sysctl.forwarding4.exists)
    let missing = try #require(Sysctl(path: "net/ipv4/no_such_thing"))
    #expect(!missing.exists)
    let error = #expect(throws: KernelError.self) { try missing.read() }
    #expect(error?.description.hasPrefix("cannot read the sysctl net.ipv4.no_such_thing: ") == true)
  }
}
