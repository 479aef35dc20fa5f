import FoundationEssentials

/// What is fed, by name.
private let targets: [String: @Sendable ([UInt8]) -> Void] = [
  "BTF": fuzzBTF, "Capture": fuzzCapture, "Collector": fuzzCollector,
  "Diversion": fuzzDiversion, "DropEvent": fuzzDropEvent,
  "Journal": fuzzJournal, "KernelLog": fuzzKernelLog, "Netlink": fuzzNetlink,
  "PrefixList": fuzzPrefixList, "Proc": fuzzProc, "Route": fuzzRoute, "Show": fuzzShow,
  "State": fuzzState, "Story": fuzzStory,
]

/// The one that NFTRACE_FUZZ_TARGET names: all are in one program, which is built in a fraction of the
/// time.
private let target: @Sendable ([UInt8]) -> Void = {
  let name = ProcessInfo.processInfo.environment["NFTRACE_FUZZ_TARGET"] ?? ""
  guard let target = targets[name] else {
    fatalError("NFTRACE_FUZZ_TARGET is none of \(targets.keys.sorted().joined(separator: ", "))")
  }
  return target
}()

/// What libFuzzer calls.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  // libFuzzer owns `count` octets at `start` until this function returns.
  target(unsafe Array(UnsafeBufferPointer(start: start, count: count)))
  return 0
}
