import Testing
import Wire

@testable import Kernel

struct DropWatchTests {
  /// What the running kernel's types are needed for.
  @Test(
    .enabled(
      if: Files.names(in: "/sys/kernel/btf").contains("vmlinux"),
      "the kernel has no \(KernelTypes.path)"))
  func typesOfThisKernel() throws {
    let start = Clock.monotonic
    let btf = try KernelTypes.read()
    let read = Clock.monotonic
    let layout = try DropProgram.Layout(btf)
    let reasons = try #require(btf.enumeration("skb_drop_reason"))
    print(
      "kernel types: read in \((read - start) / 1000) µs,",
      "looked up in \((Clock.monotonic - read) / 1000) µs")
    #expect(layout.buffer.tail + 4 == btf.field("sk_buff.end")?.offset)
    #expect(layout.deviceIndex > 0 && layout.namespaceNumber > 0)
    #expect(reasons.values.contains("SKB_DROP_REASON_NETFILTER_DROP"))
    #expect(reasons.count > 60)
  }

  /// What is kept of them is believed for the kernel that it is of, whole, and for no other.
  @Test func whatIsKeptOfTypes() throws {
    let text = """
      nftrace kernel types 1 abc 5
      16 24 - 192 180 184 224 264 48 0 176 2
      2 NOT_SPECIFIED
      12 NETFILTER_DROP

      """
    let kept = try #require(DropLayout(text, of: "abc 5"))
    #expect(kept.text(of: "abc 5") == text)
    #expect(kept.layout.buffer.route == nil && kept.layout.reasonArgument == 2)
    #expect(kept.reasons == [2: "NOT_SPECIFIED", 12: "NETFILTER_DROP"])
    #expect(DropLayout(text, of: "abc 6") == nil)
    for damaged in [
      "", "x\n", text.replacing(" 176 2", with: " 176"), text.replacing("16 24", with: "- 24"),
      text.replacing("16 24", with: "16 2x"), text.replacing("12 NET", with: "NET"),
    ] {
      #expect(DropLayout(damaged, of: "abc 5") == nil, "\(damaged)")
    }
  }

  /// With rights or without: a sentence, or nothing is missing.
  @Test func availability() {
    let missing = DropWatch.availability()
    #expect(missing == nil || missing?.contains("\n") == false && missing?.isEmpty == false)
  }

  /// What is missing is not a capability, and so must not be called one.
  @Test func lockdown() {
    #expect(BPF.lockdown(in: "[none] integrity confidentiality\n") == nil)
    #expect(BPF.lockdown(in: "none [integrity] confidentiality\n") == "integrity")
    #expect(BPF.lockdown(in: "none integrity [confidentiality]\n") == "confidentiality")
    for text in ["", "]none[", "none"] { #expect(BPF.lockdown(in: text) == nil) }
    for line in [
      "unknown func bpf_probe_read_kernel#113",
      "program of this type cannot use helper bpf_probe_read_kernel#113",
    ] {
      #expect(BPF.help(forVerifier: line).contains("locked down (lockdown=confidentiality)"))
    }
    #expect(BPF.help(forVerifier: "R1 is bad") == "The kernel's verifier says: R1 is bad")
  }

  @Test func symbols() {
    #expect(DropRecord.location("nft_do_chain+0x3e8/0x5f0") == "nft_do_chain+0x3e8")
    #expect(
      DropRecord.location("nft_do_chain+0x3e8/0x5f0 [nf_tables]")
        == "nft_do_chain+0x3e8 [nf_tables]")
    #expect(DropRecord.location("ip_error") == "ip_error")
    #expect(DropRecord.location("0xffffffffa0000000") == nil)
    #expect(DropRecord.location("") == nil)
  }

  @Test func records() throws {
    var octets: [UInt8] = []
    octets.append(littleEndian: UInt64(1000))
    octets.append(littleEndian: UInt64(0xffff_ffff_8100_0000))
    for word: UInt32 in [8, 3, 77, 20] { octets.append(littleEndian: word) }
    octets += Array("f+0x1/0x2".utf8)
    octets += Array(repeating: 0, count: DropProgram.Record.packet - octets.count)
    octets += Array(1...20)
    octets += Array(repeating: 0, count: DropProgram.Record.length - octets.count)
    func event(_ octets: [UInt8], hasReasons: Bool = true) -> DropEvent? {
      DropRecord.event(
        octets, clockDifference: 5000, reasons: [8: "NETFILTER_DROP"], hasReasons: hasReasons)
    }
    #expect(
      event(octets)
        == DropEvent(
          time: 6000, reasonNumber: 8, reasonName: "NETFILTER_DROP", location: "f+0x1", device: 3,
          namespace: 77, packet: Array(1...20)))
    #expect(event(octets, hasReasons: false)?.reason == nil)
    octets[DropProgram.Record.reason] = 200
    #expect(event(octets)?.reason == "reason 200")
    octets[DropProgram.Record.count] = 255
    #expect(event(octets)?.packet.count == 128)
    octets.removeLast()
    #expect(event(octets) == nil)
  }
}
