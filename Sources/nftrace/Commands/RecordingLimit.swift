import App
import ArgumentParser

/// How large a recording may become.
struct RecordingLimit: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Largest size of the recording, in MiB: the file and the one before it, FILE.1, together.",
      valueName: "mib"))
  var limit: Int = 256

  mutating func validate() throws {
    guard (1...1_048_576).contains(limit) else {
      throw ValidationError("--limit is in MiB, 1 to 1048576, not \(limit)")
    }
  }

  var octets: Int { limit << 20 }
}
