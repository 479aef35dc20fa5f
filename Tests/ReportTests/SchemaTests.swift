import Report
import Schema
import Testing

/// What scripts read is what the schema says. That of commands which need a kernel is looked at wherever
/// live tests run them.
struct SchemaTests {
  @Test(arguments: GoldenTests.all) func reports(_ name: String) throws {
    let text = try GoldenTests.render(name, .json, style: TextStyle())
    #expect(JSONSchema.nftrace.faults(in: text) == [])
  }

  @Test func faultsAreFound() throws {
    let good = try GoldenTests.render("policy-nft-forward-v6", .json, style: TextStyle())
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
