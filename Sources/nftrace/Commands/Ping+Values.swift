import App
import ArgumentParser
import Kernel
import Trace
import Wire

// What the values of options are, in words for who wrote something else.
extension Ping {
  static func seconds(_ text: String) throws -> Double {
    if let seconds = Double(text) { return seconds }
    let isName = TunDevice.fault(inName: text) == nil && text.contains(where: \.isLetter)
    throw ValidationError(
      "it is a number of seconds"
        + (isName
          ? ". An interface: --in \(text) lets the probe arrive there, and -I \(text) has this host send through it"
          : ""))
  }

  static func `protocol`(_ text: String) throws -> NamedProtocol {
    guard let known = ProbeProtocol(text) else {
      let port = UInt16(text).map { ". A port is given as -p tcp --dport \($0), or DEST:\($0)" }
      throw ValidationError(
        "it is neither \(ProbeProtocol.names.joined(separator: ", ")) nor the name or "
          + "number of another IP protocol, such as gre or 47\(port ?? "")")
    }
    return NamedProtocol(name: text, proto: known)
  }

  /// Read once, where the command line is: what follows may be in another namespace, or late.
  static func captured(_ text: String) throws -> CapturedProbe {
    do {
      return try CapturedProbe(text)
    } catch {
      throw ValidationError((error as? UsageError)?.message ?? "\(error)")
    }
  }
}
