import Foundation
import Schema
import Testing

/// What scripts read is what the schema says. That of commands which need a kernel is looked at wherever
/// live tests run them.
struct SchemaTests {
  @Test(arguments: GoldenTests.all) func reports(_ name: String) throws {
    let file = GoldenTests.directory.appending(path: "\(name).json")
    #expect(JSONSchema.nftrace.faults(in: try String(contentsOf: file, encoding: .utf8)) == [])
  }

  @Test func faultsAreFound() throws {
    let file = GoldenTests.directory.appending(path: "\(GoldenTests.names[0]).json")
    let good = try String(contentsOf: file, encoding: .utf8)
    for (word, other) in [
      ("\"schema\": \"nftrace/1\"", "\"schema\": \"nftrace/2\""), ("\"hook\"", "\"hok\""),
      ("\"ttl\": 64", "\"ttl\": \"64\""), ("\"severity\": \"", "\"severity\": \"bad "),
      ("\"netns\": null,", ""),
    ] {
      #expect(good.contains(word))
      let bad = good.replacing(word, with: other)
      #expect(JSONSchema.nftrace.faults(in: bad) != [], "\(word)")
    }
  }
}
