import FoundationEssentials
import Glibc
import Schema
import Subprocess
import Testing

/// How a program ended and what it wrote.
struct Outcome: CustomStringConvertible {
  /// The exit code; 128 and the signal's number if one ended it, as a shell has it.
  var code: Int32
  var output: String
  var error: String

  var description: String { "exit code \(code)\n--- output\n\(output)--- error\n\(error)" }
}

/// Runs programs, and above all nftrace itself as people do.
enum Programs {
  /// The executable that was built with the tests: it stands beside their bundle.
  static var nftrace: String {
    let words = CommandLine.arguments
    let bundle = words.firstIndex(of: "--test-bundle-path").map { words[$0 + 1] } ?? words[0]
    return bundle.split(separator: "/", omittingEmptySubsequences: false).dropLast()
      .joined(separator: "/") + "/nftrace"
  }

  /// A directory of this process's own for whatever the tests write, and for nftrace's state. It
  /// goes with the process.
  static let directory = {
    atexit { _ = try? FileManager.default.removeItem(atPath: directoryName) }
    return directoryName
  }()

  private static var directoryName: String { "/tmp/nftrace-test-\(getpid())-walk" }

  /// What is different in the environment of the programs: nothing of the user's plays a part.
  private static func environment(_ more: [String: String]) -> Environment {
    var values: [Environment.Key: String?] = [
      "LC_ALL": "C.UTF-8", "NO_COLOR": nil, "NFTRACE_STATE_DIR": directory + "/state",
      "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "NFTRACE": nftrace, "DIR": directory,
    ]
    for (key, value) in more { values[Environment.Key(stringLiteral: key)] = value }
    return .inherit.updating(values)
  }

  /// How long a program may take, in seconds, before it and what it started are ended: one that waits for what does
  /// not come fails alone, and the others have their turn.
  private static let limit = "600"

  /// Runs a program to its end.
  static func run(
    _ words: [String], environment more: [String: String] = [:]
  ) async throws -> Outcome {
    _ = try? FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true)
    let result = try await Subprocess.run(
      .name("timeout"), arguments: Arguments(["--kill-after=5", limit, "env"] + words),
      environment: environment(more),
      output: .string(limit: 1 << 26), error: .string(limit: 1 << 20))
    let outcome = Outcome(
      code: code(result.terminationStatus), output: result.standardOutput,
      error: result.standardError)
    #expect(outcome.code != 124, "\(words) had not ended after \(limit) seconds: \(outcome)")
    expectSchema(words, outcome)
    return outcome
  }

  /// What nftrace says in JSON is what its schema says, whichever test has asked for it.
  private static func expectSchema(_ words: [String], _ outcome: Outcome) {
    guard words.contains("--json"), words.contains(where: { $0.hasSuffix("nftrace") }),
      outcome.output.hasPrefix("{")
    else { return }
    let lines = outcome.output.split(separator: "\n")
    let areJourneys = words.contains("--follow") || words.contains("--trace")
    let faults =
      areJourneys
      ? lines.flatMap { JSONSchema.nftrace.faults(inJourney: String($0)) }
      : JSONSchema.nftrace.faults(in: outcome.output)
    #expect(faults == [], "\(words)")
  }

  /// Runs a shell script to its end; it stops at the first command that fails.
  static func shell(_ script: String, environment: [String: String] = [:]) async throws -> Outcome {
    try await run(["sh", "-euc", script], environment: environment)
  }

  /// Runs nftrace.
  static func nftrace(
    _ words: [String], environment: [String: String] = [:]
  ) async throws -> Outcome {
    try await run([nftrace] + words, environment: environment)
  }

  /// Starts a program, sends it a signal when `isReady` says so, and waits for its end.
  static func interrupt(
    _ words: [String], with signal: Signal, when isReady: @Sendable () async throws -> Bool
  ) async throws -> Outcome {
    let result = try await Subprocess.run(
      .name("env"), arguments: Arguments(words), environment: environment([:]), input: .none,
      output: .string(limit: 1 << 26), error: .string(limit: 1 << 20)
    ) { execution in
      let ready = try await eventually(within: .seconds(20), isReady)
      #expect(ready, "\(words) never got that far")
      try execution.send(signal: signal)
    }
    return Outcome(
      code: code(result.terminationStatus), output: result.standardOutput,
      error: result.standardError)
  }

  private static func code(_ status: TerminationStatus) -> Int32 {
    switch status {
    case .exited(let code): code
    case .signaled(let signal): 128 + signal
    }
  }

  /// Whether `condition` comes true in that time.
  static func eventually(
    within limit: Duration = .seconds(1), _ condition: () async throws -> Bool
  ) async throws -> Bool {
    let clock = ContinuousClock()
    let start = clock.now
    repeat {
      if try await condition() { return true }
      try await Task.sleep(for: .milliseconds(5))
    } while clock.now - start < limit
    return try await condition()
  }
}
