import Testing
import Wire

struct TCPConversationTests {
  @Test func asSSHSaysIt() throws {
    let text = "203.0.113.9 52011 10.0.0.1 22"
    let found = try #require(TCPConversation(text))
    #expect(found.description == text && found.clientPort == 52011 && found.serverPort == 22)
    #expect(found.ways[0].addresses == [203, 0, 113, 9, 10, 0, 0, 1])
    #expect(found.ways[0].ports == [0xcb, 0x2b, 0, 22])
    #expect(found.ways[1].addresses == [10, 0, 0, 1, 203, 0, 113, 9])
    #expect(found.ways[1].ports == [0, 22, 0xcb, 0x2b])
    let zone = try #require(TCPConversation("fe80::2%eth0 4000 fe80::1%eth0 22"))
    #expect(zone.description == "fe80::2 4000 fe80::1 22")
    #expect(zone.ways[0].addresses.count == 32)
  }

  @Test(arguments: [
    "", "203.0.113.9 52011 10.0.0.1", "203.0.113.9 x 10.0.0.1 22", "203.0.113.9 70000 10.0.0.1 22",
    "203.0.113.9 1 fd00::1 22", "host 1 10.0.0.1 22", "203.0.113.9 1 10.0.0.1 22 5",
  ])
  func noConnection(_ text: String) { #expect(TCPConversation(text) == nil) }
}
