import Wire

/// A capture file of any content: reading it ends, and what was read can be written.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzCapture(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  var decoder = CaptureDecoder()
  // libFuzzer owns `count` octets at `start` until this function returns.
  unsafe decoder.feed(UnsafeBufferPointer(start: start, count: count))
  while let block = try? decoder.next() { _ = block.bytes }
  try? decoder.finish()
  return 0
}
