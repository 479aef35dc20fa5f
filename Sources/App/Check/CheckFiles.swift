internal import Kernel
package import Trace

/// Reads the files that people write for tests.
package enum CheckFiles {
  /// Octets of such a file at most.
  private static let most = 64 << 20

  /// A file of tests.
  package static func tests(_ path: String) throws -> TestFile {
    try read(path) { node throws(ConfigurationFault) in try TestFile(node) { Names.port($0, $1) } }
  }

  /// A file with a topology.
  package static func topology(_ path: String) throws -> Topology {
    try read(path) { node throws(ConfigurationFault) in try Topology(node) }
  }

  /// An inventory of Ansible's, in YAML or in INI.
  package static func inventory(_ path: String) throws -> Inventory {
    let isYAML = [".yaml", ".yml", ".json"].contains { path.hasSuffix($0) }
    if isYAML {
      return try read(path) { node throws(ConfigurationFault) in try Inventory(yaml: node) }
    }
    do {
      return try Inventory(ini: String(decoding: try octets(path), as: UTF8.self))
    } catch let fault as ConfigurationFault {
      throw UsageError("\(path):\(fault.line): \(fault.text)")
    }
  }

  /// The text of a ruleset, and of what it includes as nft finds it: from the root, from the working directory with "./",
  /// and else below /etc; with * all that are so, in their order.
  package static func ruleset(_ path: String) throws -> RulesetText {
    RulesetText(String(decoding: try octets(path), as: UTF8.self), path: path) { name in
      let place =
        name.hasPrefix("/") || name.hasPrefix("./") || name.hasPrefix("../") ? name : "/etc/\(name)"
      return files(place).compactMap { path in
        (try? octets(path)).map { (path, String(decoding: $0, as: UTF8.self)) }
      }
    }
  }

  private static func files(_ pattern: String) -> [String] {
    let directory = OutputFile.directory(of: pattern)
    let name = pattern.split(separator: "/").last.map(String.init) ?? ""
    guard name.contains("*") || name.contains("?") else { return [pattern] }
    let glob = Glob(name)
    return OutputFile.names(in: directory).filter { glob.matches($0) && !$0.hasPrefix(".") }
      .sorted()
      .map { "\(directory)/\($0)" }
  }

  private static func read<Value>(
    _ path: String, _ make: (ConfigurationNode) throws(ConfigurationFault) -> Value
  ) throws -> Value {
    do {
      return try make(try YAML.document(try octets(path)))
    } catch let fault as ConfigurationFault {
      throw UsageError("\(path):\(fault.line): \(fault.text)")
    }
  }

  private static func octets(_ path: String) throws -> [UInt8] {
    let file = try InputFile(path)
    var octets: [UInt8] = []
    while case let more = try file.read(), !more.isEmpty {
      octets += more
      if octets.count > most {
        throw UsageError(
          "\(path) has more than \(most >> 20) MiB: that is none of the files meant here")
      }
    }
    return octets
  }
}
