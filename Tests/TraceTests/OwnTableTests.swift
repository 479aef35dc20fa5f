import Testing
import Trace
import Wire

/// Whose a table is: nftrace's own, iptables', or somebody's who writes for nft.
@Suite struct OwnTableTests {
  @Test func namesAreReadBack() {
    let tables: [(OwnTable, String, Int32?)] = [
      (.setup, "nftrace_setup", nil), (.trial, "nftrace_try", nil),
      (.command(process: 4711), "nftrace_4711", 4711),
      (.interception(process: 4711), "nftrace_intercept_4711", 4711),
    ]
    for (table, name, process) in tables {
      #expect(table.name == name)
      #expect(OwnTable(name: name) == table)
      #expect(table.process == process)
      #expect(OwnTable.isOne(name))
    }
    // Left by whom one does not know, and yet nftrace's.
    #expect(OwnTable(name: "nftrace_of_old") == nil && OwnTable.isOne("nftrace_of_old"))
    #expect(!OwnTable.isOne("filter") && OwnTable(name: "filter") == nil)
  }

  /// A chain as the kernel lists it; a base chain if it has the number of a hook.
  private func chain(
    _ name: String, _ hook: UInt32?, _ table: String = "filter", _ family: UInt8 = NFProto.ipv4
  ) throws -> ChainMessage {
    var attributes = [NetlinkAttribute(1, string: table), NetlinkAttribute(3, string: name)]
    if let hook {
      attributes.append(
        NetlinkAttribute(
          4,
          nested: [NetlinkAttribute(1, network: hook), NetlinkAttribute(2, network: UInt32(0))]))
    }
    return try ChainMessage(NetfilterHeader(family: family).bytes + attributes.bytes)
  }

  private func isIPTables(
    _ chains: [ChainMessage], _ table: String = "filter", _ family: UInt8 = NFProto.ipv4
  ) -> Bool {
    TableName(family, table).isIPTables(among: chains)
  }

  @Test func tablesOfIPTables() throws {
    let made = try [chain("INPUT", 1), chain("FORWARD", 2), chain("DOCKER", nil)]
    #expect(isIPTables(made))
    // Somebody else's table beside it changes nothing.
    #expect(try isIPTables(made + [chain("in", 1, "fw")]))
    // People write in lower case, call a table as they like, and have families that iptables has not.
    #expect(try !isIPTables(made + [chain("output", 3)]))
    #expect(try !isIPTables([chain("INPUT", 1, "fw")], "fw"))
    #expect(try !isIPTables([chain("INPUT", 1, "filter", NFProto.inet)], "filter", NFProto.inet))
    // A table without base chains is nobody's work that one could tell.
    #expect(try !isIPTables([chain("DOCKER", nil)]))
    #expect(!isIPTables([]))
  }
}
