import Kernel
import Report
import Trace
import Wire

/// Reads session files in pieces, so that they may be larger than memory.
enum Playback {
  /// Renders the sessions in these files, as `output` takes it. Returns how many exchanges matched.
  static func run(
    _ paths: [String], _ report: consuming SessionReport,
    output: (String) throws -> Void = { try Output.print($0) }
  ) throws -> Int {
    var report = report
    func put(_ lines: [String]) throws {
      if !lines.isEmpty { try output(lines.joined(separator: "\n") + "\n") }
    }
    for path in paths {
      try read(path) { try put(report.take($0)) }
    }
    try put(report.finish())
    return report.matches
  }

  /// Writes the NFLOG messages of these files alone, as classic pcap.
  static func export(_ paths: [String], to path: String) throws {
    let output = try OutputFile(path, followLinks: true)
    var buffer = PcapFile.header(linkType: .nflog)
    for path in paths {
      try read(path) { element in
        guard case .record(let record) = element, case .log(let payload) = record.content else {
          return
        }
        buffer += PcapFile.record(CapturedPacket(interface: 0, time: record.time, data: payload))
        if buffer.count > 1 << 18 {
          try output.write(buffer)
          buffer.removeAll(keepingCapacity: true)
        }
      }
    }
    try output.write(buffer)
  }

  /// Hands everything up to the end, or to the first damage, to `body`. Damage is said.
  private static func read(
    _ path: String, _ body: (SessionDecoder.Element) throws -> Void
  ) throws {
    let file = try InputFile(path)
    var decoder = SessionDecoder()
    do {
      while true {
        let bytes = try file.read()
        if bytes.isEmpty { break }
        decoder.feed(bytes)
        while let element = try decoder.next() { try body(element) }
      }
      try decoder.finish()
    } catch let damage as CaptureDamage {
      guard damage.kind != .notACapture else {
        throw UsageError(
          "\(path) is neither a session of nftrace nor a capture file: \(damage.reason)")
      }
      Output.complain(
        "\(path) is \(damage.kind == .truncated ? "cut off" : "damaged") at byte "
          + "\(damage.offset): \(damage.reason); everything before that is shown")
      return
    }
    if !decoder.holdsNetfilter {
      throw UsageError(
        "\(path) has no NFLOG packets: a session of nftrace, or 'tcpdump -i nflog:N -w', has them")
    }
  }
}
