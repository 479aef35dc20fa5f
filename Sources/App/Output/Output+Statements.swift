package import Kernel
package import Report
internal import Trace

extension Output {
  /// Tells people: results on standard output, remarks beside them. `isQuiet` is the first line alone;
  /// `name` goes before it.
  package static func tell(
    _ statements: [Statement], isQuiet: Bool = false, name: String? = nil
  ) throws(KernelError) {
    var told = statements.told[...]
    if isQuiet { told = told.prefix(1) }
    if let name, case .result(let first) = told.first {
      told = [.result("\(name): " + first)] + told.dropFirst()
    }
    // Lines that follow one another are written at once.
    var lines: [StyledLine] = []
    for line in told {
      switch line {
      case .result(let line): lines.append(line)
      case .remark(let remark):
        if !lines.isEmpty { try print(lines) }
        lines = []
        complain(remark)
      }
    }
    if !lines.isEmpty { try print(lines) }
  }
}
