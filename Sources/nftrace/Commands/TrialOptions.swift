import App
import ArgumentParser
import Kernel
import Trace
import Wire

/// What a trial of a remedy is told, which nftrace starts as its own child: nobody types these.
struct TrialOptions: ParsableArguments {
  /// Whether it is one.
  @Flag(help: .hidden)
  var prove = false

  /// A source that nobody out there knows a way back to.
  @Option(help: .hidden)
  var unreturned: String?

  /// The interface behind which nobody answered the probe.
  @Option(help: .hidden)
  var silent: String?

  /// Who refused the probe and how, where that is to come back to whoever asked; without an address where it was this host.
  @Option(help: .hidden)
  var refused: String?

  /// The packet that is the probe, where it is one that was captured.
  @Option(help: .hidden, transform: Self.captured)
  var octets: CapturedProbe?

  private static func captured(_ text: String) throws -> CapturedProbe {
    guard let octets = [UInt8](hexadecimal: text) else {
      throw ValidationError("'\(text)' are no octets")
    }
    return try CapturedProbe(octets)
  }

  /// The world of the copies in which the remedy of a probe from and for these is tried.
  func sought(_ addresses: [IPAddress]) -> SoughtNeighbours {
    var sought = SoughtNeighbours(addresses)
    sought.unreturned = [unreturned.flatMap { IPAddress($0) }].compactMap(\.self)
    sought.silent = silent
    sought.refusal = refused.flatMap { FarRefusal(word: $0) }
    return sought
  }
}

extension RemediesToTry {
  /// The same in words of a command line.
  var words: [String] {
    (unreturned.map { ["--unreturned", "\($0)"] } ?? [])
      + (silent.map { ["--silent", $0] } ?? [])
      + (isRefused ? ["--refused", refusal?.word ?? "here"] : [])
  }
}
