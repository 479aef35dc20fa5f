import Glibc
import Kernel
import Subprocess
import Testing
import Trace
import Wire

extension LiveTests {
  struct JournalTests {
    /// A directory of this test's own, removed with its journals when `body` is done.
    private func inDirectory<R>(_ body: (String) throws -> R) throws -> R {
      let path = "/tmp/nftrace-test-\(getpid())-\(UInt32.random(in: 0 ... .max))"
      defer { Directory.remove(path) }
      return try body(path)
    }

    /// One of those that a diversion has: nothing else is undone.
    static let table: UInt32 = 0x6e66_7400

    private func forwardingSettings() throws -> [String] {
      try [
        "ip_forward", "conf/all/forwarding", "conf/default/forwarding", "conf/a/forwarding",
        "conf/b/forwarding", "conf/all/accept_redirects", "conf/a/accept_redirects",
      ].map { try #require(Sysctl(path: "net/ipv4/\($0)")).read() }
    }

    @Test func undoIsTheInverse() throws {
      try inNewNamespace {
        try inDirectory { directory in
          var socket = try RouteSocket()
          try socket.createVeth("a", peer: "b")
          try socket.setLink("a", up: true)
          // Interfaces that differ from "all" are what a plain "set it back" would lose.
          try Sysctl.interface("b", family: 4, "forwarding")?.write("1")
          try Sysctl.interface("all", family: 4, "accept_redirects")?.write("0")
          let before = try forwardingSettings()
          let rulesBefore = try socket.rules()
          let routesBefore = try socket.routes()

          let journal = try GuardedJournal(in: directory)
          #expect(try journal.set(.forwarding4, to: "1"))
          #expect(try !journal.set(.forwarding4, to: "1"))
          #expect(try forwardingSettings() != before)
          let rule = RoutingRule(family: 4, priority: 77, table: Self.table)
          try journal.add(rule, with: &socket)
          let route = RouteMessage(to: Prefix("10.9.0.0/16")!, kind: .blackhole, table: Self.table)
          try journal.add(route, with: &socket)
          // What is there already is not ours to remove.
          #expect(throws: KernelError.self) { try journal.add(route, with: &socket) }
          let path = journal.path
          try journal.end()
          #expect(try forwardingSettings() == before)
          #expect(try socket.rules() == rulesBefore)
          #expect(try socket.routes() == routesBefore)
          #expect(Directory.mode(of: path) == nil)
          #expect(try GuardedJournal.undo(path) == [])
        }
      }
    }

    /// What is left to the guardian of a command that made tables without an owner.
    @Test func tablesOfThisNameAreRemovedAndNoOthers() throws {
      try inNewNamespace {
        try inDirectory { directory in
          var socket = try NetfilterSocket()
          let tables = ObservationTables(
            prefixes: [Prefix("192.0.2.0/24")!], versions: [4], backend: .kernelLog(namespace: nil))
          for table in ["nftrace_1", "nftrace_11"] {
            _ = try socket.install(
              tables, table: table, journals: nil,
              points: ObservationPoint.plan(around: []) + [.ingress], devices: ["lo"])
          }
          let journal = try GuardedJournal(in: directory)
          let file = try unsafe #require(unsafe fopen(journal.path, "a"))
          unsafe fputs("tables nftrace_1\n", file)
          unsafe fclose(file)
          try journal.end()
          var rules = try RulesetReader()
          #expect(try rules.tables().map(\.name) == ["nftrace_11", "nftrace_11"])
        }
      }
    }

    @Test func whatOthersChangedStays() throws {
      try inNewNamespace {
        try inDirectory { directory in
          let setting = try #require(Sysctl.interface("lo", family: 4, "rp_filter"))
          try setting.write("0")
          let journal = try GuardedJournal(in: directory)
          try journal.set(setting, to: "2")
          try setting.write("1")
          try journal.end()
          #expect(try setting.read() == "1")
        }
      }
    }

    @Test func notInAnotherNamespaceAndNotWhileTheOwnerLives() throws {
      try inDirectory { directory in
        let namespace = try NetworkNamespace.create()
        try namespace.within { () throws(KernelError) in
          try Sysctl.forwarding4.write("0")
          let journal = try GuardedJournal(in: directory)
          try journal.set(.forwarding4, to: "1")
          let path = journal.path
          #expect(Directory.mode(of: path) == 0o600)
          let found = try Leftovers.takeBack(in: directory)
          let value = try Sysctl.forwarding4.read()
          #expect(found.undone.isEmpty && found.failures.isEmpty && value == "1")
          let home = try NetworkNamespace.create()
          let elsewhere = try home.within { () throws(KernelError) in
            Result { () throws(KernelError) in try GuardedJournal.undo(path) }
          }
          if case .success = elsewhere { Issue.record("undone in another namespace") }
          let undone = try GuardedJournal.undo(path)
          let after = try Sysctl.forwarding4.read()
          #expect(undone == ["net.ipv4.ip_forward from 0 to 1"] && after == "0")
          try journal.end()
        }
      }
    }

    /// Within a second after SIGKILL.
    @Test func theGuardianUndoesAfterSIGKILL() async throws {
      let name = "nftrace-test-\(getpid())"
      let directory = "/tmp/\(name)"
      let before = NetworkNamespace.names
      let namespace = try NetworkNamespace.create(named: name)
      defer {
        try? NetworkNamespace.remove(named: name)
        Directory.remove(directory)
      }
      try namespace.within { () throws(KernelError) in try Sysctl.forwarding4.write("0") }
      let result = try await run(
        .name("env"), arguments: [Self.helper, "victim", name, directory],
        output: .string(limit: 4096))
      #expect(result.terminationStatus == .signaled(SIGKILL), "\(result)")
      let clock = ContinuousClock()
      let start = clock.now
      var undone = false
      while !undone, clock.now - start < .seconds(1) {
        undone = try namespace.within { () throws(KernelError) in
          var socket = try RouteSocket()
          let forwarding = try Sysctl.forwarding4.read()
          let rules = try socket.rules()
          return forwarding == "0" && rules.allSatisfy { $0.priority != 4242 }
        }
        usleep(500)
      }
      print("guardian: undone \(clock.now - start) after the end was seen")
      #expect(undone)
      // The file is the last to go.
      while !Directory.isEmpty(directory), clock.now - start < .seconds(1) { usleep(500) }
      print("guardian: gone \(clock.now - start) after the end was seen")
      #expect(NetworkNamespace.names == (before + [name]).sorted())
      #expect(Directory.remove(directory), "the journal is still there")
    }

    /// Beside the test bundle.
    static var helper: String {
      let words = CommandLine.arguments
      let bundle = words.firstIndex(of: "--test-bundle-path").map { words[$0 + 1] } ?? words[0]
      return bundle.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        .joined(separator: "/") + "/guardian-helper"
    }
  }
}
