import CNetfilter
import Glibc
import Kernel
import Testing

struct ServiceManagerTests {
  /// A service manager's socket, in a directory of its own or abstract.
  private final class Listener {
    let address: String
    private let number: Int32
    private let path: String?

    init(abstract: Bool) throws {
      let unique = "nftrace-notify-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
      path = abstract ? nil : "/tmp/\(unique)"
      address = abstract ? "@" + unique : "/tmp/\(unique)"
      number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
      var name = sockaddr_un()
      name.sun_family = sa_family_t(AF_UNIX)
      var octets = Array(address.utf8)
      if abstract { octets[0] = 0 }
      // Sound: the name is shorter than the field, and the pointers are used in the closure alone.
      let code = unsafe withUnsafeMutablePointer(to: &name) { pointer in
        unsafe withUnsafeMutableBytes(of: &pointer.pointee.sun_path) {
          unsafe $0.copyBytes(from: octets)
        }
        return unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          unsafe bind(number, $0, socklen_t(2 + octets.count))
        }
      }
      try #require(code == 0)
    }

    deinit {
      close(number)
      // Sound: the path outlives the call.
      if let path { _ = unsafe unlink(path) }
    }

    func heard() -> String {
      var octets = [UInt8](repeating: 0, count: 64)
      // Sound: the array has as many elements as the call may fill.
      let count = unsafe recv(number, &octets, octets.count, Int32(MSG_DONTWAIT))
      return String(decoding: octets.prefix(max(count, 0)), as: UTF8.self)
    }
  }

  @Test(arguments: [false, true]) func itHearsThatTheServiceWorks(abstract: Bool) throws {
    let listener = try Listener(abstract: abstract)
    #expect(listener.heard() == "")
    try ServiceManager(at: listener.address).sayReady()
    #expect(listener.heard() == "READY=1")
  }

  @Test func oneThatIsNotThereIsSaid() {
    for address in ["/nonexistent/notify", String(repeating: "x", count: 200)] {
      let error = #expect(throws: KernelError.self) {
        try ServiceManager(at: address).sayReady()
      }
      #expect(error?.function == "sendto" && error?.errno != 0)
    }
  }
}
