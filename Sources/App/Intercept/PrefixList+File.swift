internal import Kernel
package import Wire

extension PrefixList {
  /// The list in a file, all of whose faults are told at once.
  package init(file path: String) throws {
    let file = try InputFile(path)
    var octets: [UInt8] = []
    while true {
      let more = try file.read()
      if more.isEmpty { break }
      octets += more
      guard octets.count <= 64 << 20 else { throw UsageError("\(path) is longer than 64 MiB") }
    }
    let (parsed, faults) = Self.parse(String(decoding: octets, as: UTF8.self))
    guard faults.isEmpty else {
      let shown = faults.prefix(20).map { "\(path), line \($0.line): \($0.message)" }
      let more = faults.count > 20 ? ["and \(faults.count - 20) more"] : []
      throw UsageError((shown + more).joined(separator: "\n"))
    }
    if parsed.listsNothing(version: 4), parsed.listsNothing(version: 6) {
      throw UsageError("\(path) lists nothing; put 0.0.0.0/0 or ::/0 into it for all but the rest")
    }
    self = parsed
  }
}
