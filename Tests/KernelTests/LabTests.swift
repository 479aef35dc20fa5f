import Testing

@testable import Kernel

struct LabTests {
  @Test func namesOfLabs() {
    #expect(Lab.process(inName: "nftrace-lab-12\(Lab.elsewhere)-router") == 12)
    #expect(Lab.process(inName: "nftrace-lab-12\(Lab.elsewhere)-2-server") == 12)
    for name in [
      "nftrace-lab-router", "nftrace-lab-12", "lab-12-router", "nftrace-lab--1-router",
      "nftrace-lab-x-router", "nftrace-lab-12-client", "nftrace-lab-0-router",
    ] {
      #expect(Lab.process(inName: name) == nil, "\(name)")
    }
  }
}
