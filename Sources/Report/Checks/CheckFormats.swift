package import Trace

/// Tests as machines read them that run such.
package enum CheckFormats {
  /// What a test says that is not as expected, in plain lines.
  private static func plain(_ result: CheckResult, _ report: CheckReport) -> String {
    let style = TextStyle(width: 100, unicode: true)
    return style.written(CheckWords(report: report).explanation(result, style))
      .joined(separator: "\n")
  }

  // MARK: JUnit

  /// JUnit's XML, as most CI services read it.
  package static func junit(_ report: CheckReport) -> String {
    let words = CheckWords(report: report)
    var lines = ["<?xml version=\"1.0\" encoding=\"UTF-8\"?>"]
    lines.append(
      "<testsuites name=\"nftrace check\" tests=\"\(report.results.count)\" failures=\"\(report.failed)\" "
        + "errors=\"\(report.unasked)\" time=\"\(time(report.seconds))\">")
    for (path, results) in report.files {
      lines.append(
        "  <testsuite name=\"\(xml(path))\" tests=\"\(results.count)\" "
          + "failures=\"\(results.count { !$0.isPassed && $0.obstacle == nil })\" "
          + "errors=\"\(results.count { $0.obstacle != nil })\">")
      for result in results {
        let start =
          "    <testcase classname=\"\(xml(path))\" name=\"\(xml(result.test.name))\" file=\"\(xml(path))\" "
          + "line=\"\(result.test.line)\""
        if result.isPassed {
          lines.append("\(start)/>")
          continue
        }
        let kind = result.obstacle == nil ? "failure" : "error"
        lines.append("\(start)>")
        lines.append(
          "      <\(kind) message=\"\(xml(words.sentence(result)))\">\(xml(plain(result, report)))</\(kind)>"
        )
        lines.append("    </testcase>")
      }
      lines.append("  </testsuite>")
    }
    lines.append("</testsuites>")
    return lines.joined(separator: "\n")
  }

  /// Text in XML 1.0, which has no way to say most control characters.
  private static func xml(_ text: String) -> String {
    let allowed = text.unicodeScalars.map { scalar -> Character in
      let isAllowed =
        scalar == "\t" || scalar == "\n"
        || scalar.value >= 0x20 && ![0xfffe, 0xffff].contains(scalar.value)
      return isAllowed ? Character(scalar) : "\u{fffd}"
    }
    return Markup.escaped(String(allowed))
  }

  private static func time(_ seconds: Double) -> String {
    let milliseconds = Int((seconds * 1000).rounded())
    let rest = String(milliseconds % 1000)
    return "\(milliseconds / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
  }

  // MARK: TAP

  /// The Test Anything Protocol, version 13.
  package static func tap(_ report: CheckReport) -> String {
    let words = CheckWords(report: report)
    var lines = ["TAP version 13", "1..\(report.results.count)"]
    var number = 0
    for (path, results) in report.files {
      for result in results {
        number += 1
        // Behind "#" stand directives.
        let name = String(Escape.text(result.test.name).map { $0 == "#" ? "." : $0 })
        lines.append("\(result.isPassed ? "ok" : "not ok") \(number) - \(name)")
        if result.isPassed { continue }
        lines.append("  ---")
        lines.append("  message: \(quoted(words.sentence(result)))")
        lines.append("  at: \(quoted("\(path):\(result.test.line)"))")
        if let rule = words.line(result) {
          lines.append("  rule: \(quoted("\(rule.path):\(rule.number)"))")
        }
        // What a person reads: a block of YAML, each line of it indented.
        let told = plain(result, report).split(separator: "\n", omittingEmptySubsequences: false)
        if !told.allSatisfy(\.isEmpty) {
          lines.append("  details: |2")
          lines += told.map { $0.isEmpty ? "" : "    \($0)" }
        }
        lines.append("  ...")
      }
    }
    return lines.joined(separator: "\n")
  }

  /// Text as YAML has it in double quotes.
  private static func quoted(_ text: String) -> String { JSONValue.string(text).line }

  // MARK: GitHub

  /// Annotations of GitHub's: each at the line of the rule that decided, or else of the test.
  package static func github(_ report: CheckReport) -> [String] {
    let words = CheckWords(report: report)
    var lines: [String] = []
    for (path, results) in report.files {
      for result in results where !result.isPassed {
        let rule = words.line(result)
        let text =
          words.sentence(result) + (rule == nil ? "" : " (\(path):\(result.test.line))") + "\n"
          + plain(result, report)
        lines.append(
          "::error file=\(property(rule?.path ?? path)),line=\(rule?.number ?? result.test.line),"
            + "title=\(property(result.test.name))::\(message(text))")
      }
    }
    return lines
  }

  private static func message(_ text: String) -> String {
    text.unicodeScalars.reduce(into: "") { escaped, scalar in
      switch scalar {
      case "%": escaped += "%25"
      case "\r": escaped += "%0D"
      case "\n": escaped += "%0A"
      case _ where scalar.value < 0x20 || scalar.value == 0x7f: escaped += "\u{fffd}"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
  }

  private static func property(_ text: String) -> String {
    message(text).unicodeScalars.reduce(into: "") { escaped, scalar in
      switch scalar {
      case ":": escaped += "%3A"
      case ",": escaped += "%2C"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
  }

  // MARK: JSON

  /// One object of schema "nftrace/1".
  package static func json(_ report: CheckReport) -> JSONValue {
    let words = CheckWords(report: report)
    let objects = JSONObjects()
    let tests = report.files.flatMap { path, results in
      results.map { result -> JSONValue in
        .object([
          ("name", .string(result.test.name)), ("file", .string(path)),
          ("line", .int(result.test.line)), ("from", .string(result.test.from.description)),
          ("to", .string(result.test.target)),
          (
            "result",
            .string(result.isPassed ? "passed" : result.obstacle == nil ? "failed" : "error")
          ),
          ("error", .string(result.obstacle)),
          (
            "deviations",
            .array(
              result.deviations.map {
                .object([
                  ("key", .string($0.key)), ("expected", .string($0.expected)),
                  ("actual", .string($0.actual)),
                ])
              })
          ),
          ("rule", line(words.line(result))),
          ("probe", result.probe.map { objects.probe($0.result, netns: nil) } ?? .null),
        ])
      }
    }
    let coverage = report.coverage
    return .object(
      JSONObjects.head("check") + [
        ("place", .string(report.place)),
        ("differences", .array(report.differences.map { .string($0) })),
        ("passed", .int(report.passed)), ("failed", .int(report.failed)),
        ("errors", .int(report.unasked)), ("tests", .array(tests)),
        (
          "coverage",
          .object([
            ("rules", .int(coverage.rules.count)), ("met", .int(coverage.count)),
            ("percent", .int(coverage.percent)),
            (
              "unmet",
              .array(
                coverage.unmet.map {
                  .object([
                    ("family", .string(RuleNames.family($0.family))), ("table", .string($0.table)),
                    ("chain", .string($0.chain)), ("handle", .int(Int(clamping: $0.handle))),
                    ("rule", .string($0.text)), ("at", line(coverage.line(of: $0))),
                  ])
                })
            ),
          ])
        ),
      ])
  }

  private static func line(_ line: RulesetCoverage.Line?) -> JSONValue {
    line.map { .object([("file", .string($0.path)), ("line", .int($0.number))]) } ?? .null
  }
}
