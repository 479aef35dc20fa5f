import Wire

/// A capture file of any content: reading it ends, and what was read can be written.
func fuzzCapture(_ bytes: [UInt8]) {
  var decoder = CaptureDecoder()
  decoder.feed(bytes)
  while let block = try? decoder.next() { _ = block.bytes }
  try? decoder.finish()
}
