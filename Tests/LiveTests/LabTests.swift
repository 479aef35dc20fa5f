import Glibc
import Kernel
import Subprocess
import Testing
import Wire

extension LiveTests {
  struct LabTests {
    @Test func theServerAnswersTheRouter() async throws {
      let before = NetworkNamespace.names
      let clock = ContinuousClock()
      let start = clock.now
      let lab = try Lab.create()
      print("lab: built in \(clock.now - start)")
      #expect(lab.routerName == "nftrace-lab-\(getpid())-router")
      for address in ["119.29.29.29", "2001:db8:29::29"] {
        let result = try await run(
          .name("ip"),
          arguments: ["netns", "exec", lab.routerName, "ping", "-c1", "-W1", "-n", address],
          output: .string(limit: 4096), error: .string(limit: 4096))
        #expect(result.terminationStatus.isSuccess, "\(result)")
      }
      try lab.router.within { () throws(KernelError) in
        var socket = try RouteSocket()
        let forwarding = try [Sysctl.forwarding4.read(), Sysctl.forwarding6.read()]
        #expect(forwarding == ["1", "1"])
        let answer = try socket.lookup(RouteLookup(to: IPAddress("119.29.29.29")!))
        guard case .route(let route) = answer else {
          Issue.record("no route")
          return
        }
        #expect(route.gateway == IPAddress("172.16.16.1"))
        #expect(route.preferredSource == IPAddress("172.16.16.15"))
      }
      let removal = clock.now
      try lab.remove()
      print("lab: removed in \(clock.now - removal)")
      #expect(NetworkNamespace.names == before)
    }

    @Test func twoAtATimeAndGoneWithTheirValues() throws {
      let before = NetworkNamespace.names
      do {
        let first = try Lab.create()
        let second = try Lab.create()
        #expect(first.routerName != second.routerName)
        #expect(NetworkNamespace.names.count == before.count + 4)
      }
      #expect(NetworkNamespace.names == before)
    }

    @Test func staleOnesAreRemoved() throws {
      // Above the largest process id there can be.
      let name = "nftrace-lab-2000000000\(Lab.elsewhere)-router"
      _ = try NetworkNamespace.create(named: name)
      #expect(try Lab.removeStale() == [name])
      #expect(!NetworkNamespace.names.contains(name))
    }

    @Test func theJournalKnowsTheNames() throws {
      let directory = "/tmp/nftrace-test-\(getpid())-lab"
      defer { Directory.remove(directory) }
      let before = NetworkNamespace.names
      let journal = try GuardedJournal(in: directory, namespaces: true)
      let lab = try Lab.create(journal: journal)
      #expect(NetworkNamespace.names != before)
      try journal.end()
      #expect(NetworkNamespace.names == before)
      try lab.remove()
    }
  }
}
