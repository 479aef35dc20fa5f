import Kernel
import Subprocess
import Testing
import Wire

import Glibc

extension LiveTests {
  struct NetworkNamespaceTests {
    @Test func withinGoesThereAndComesBack() throws {
      let home = try NetworkNamespace.current().identity
      let namespace = try NetworkNamespace.create()
      #expect(namespace.identity != home)
      let inside = try namespace.within { () throws(KernelError) in
        try NetworkNamespace.current().identity
      }
      #expect(inside == namespace.identity)
      #expect(try NetworkNamespace.current().identity == home)
      #expect(throws: KernelError.self) {
        try namespace.within { () throws(KernelError) in throw KernelError(cannot: "go on") }
      }
      #expect(try NetworkNamespace.current().identity == home)
    }

    @Test func loopbackIsUp() throws {
      try inNewNamespace {
        var socket = try RouteSocket()
        #expect(try socket.existingLink("lo").flags.contains(.up))
      }
    }

    @Test func namedOnesAreThoseOfIP() async throws {
      let name = "nftrace-test-\(getpid())"
      let made = try NetworkNamespace.create(named: name).identity
      defer { try? NetworkNamespace.remove(named: name) }
      #expect(NetworkNamespace.names.contains(name))
      #expect(try NetworkNamespace(name).identity == made)
      #expect(try NetworkNamespace("/run/netns/\(name)").identity == made)
      let error = #expect(throws: KernelError.self) {
        _ = try NetworkNamespace.create(named: name)
      }
      #expect(error?.errno == EEXIST)
      let result = try await run(
        .name("ip"), arguments: ["netns", "exec", name, "readlink", "/proc/self/ns/net"],
        output: .string(limit: 4096))
      #expect(result.standardOutput == "\(made)\n")
      try NetworkNamespace.remove(named: name)
      try NetworkNamespace.remove(named: name)
      #expect(!NetworkNamespace.names.contains(name))
    }

    @Test func byProcess() throws {
      #expect(try NetworkNamespace("\(getpid())").identity.inode != 0)
    }
  }
}
