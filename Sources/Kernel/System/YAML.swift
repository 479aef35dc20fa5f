internal import CYAML
package import Trace

/// Files in YAML 1.1, read by libyaml.
package enum YAML {
  /// Values at most, those that stand for others counted as often as they do.
  private static let most = 2_000_000
  /// Lists in lists at most.
  private static let deepest = 64

  /// The document that the octets are. Throws for what is no YAML, for several documents, and for a name that is there
  /// twice.
  package static func document(_ octets: [UInt8]) throws(ConfigurationFault) -> ConfigurationNode {
    var reader = try Reader(octets)
    return try reader.document()
  }

  /// A document that is being read.
  // Sound: what it points to is there until `deinit`, and nobody else has it; so are the octets that are read.
  @safe private struct Reader: ~Copyable {
    private let yaml: UnsafeMutablePointer<nftrace_yaml>
    private let octets: UnsafeMutableBufferPointer<UInt8>
    private var anchors: [String: (node: ConfigurationNode, count: Int)] = [:]
    private var count = 0

    init(_ octets: [UInt8]) throws(ConfigurationFault) {
      // Sound: as many octets are copied as there is room for.
      let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: octets.count)
      _ = unsafe copy.initialize(from: octets)
      guard let yaml = unsafe nftrace_yaml_open(copy.baseAddress, octets.count) else {
        unsafe copy.deallocate()
        throw ConfigurationFault(line: 1, "there is not enough memory to read it")
      }
      unsafe (self.yaml, self.octets) = (yaml, copy)
    }

    deinit {
      // Sound: nothing is read any more.
      unsafe nftrace_yaml_close(yaml)
      unsafe octets.deallocate()
    }

    mutating func document() throws(ConfigurationFault) -> ConfigurationNode {
      _ = try next()
      guard try next() == YAML_DOCUMENT_START_EVENT else {
        return ConfigurationNode(line: 1, .nothing)
      }
      let first = try next()
      let node = try self.node(first, depth: 0)
      _ = try next()
      guard try next() == YAML_STREAM_END_EVENT else {
        throw ConfigurationFault(line: line, "a second document begins here; one file has one")
      }
      return node
    }

    // Sound, here and below: the reader is there as long as this value, and what it says is copied at once.
    private var line: Int { unsafe Int(nftrace_yaml_line(yaml)) }

    private func next() throws(ConfigurationFault) -> yaml_event_type_t {
      let type = unsafe nftrace_yaml_next(yaml)
      guard type >= 0 else {
        // Sound: it ends with a zero.
        let problem = unsafe nftrace_yaml_problem(yaml).map { unsafe String(cString: $0) }
        throw ConfigurationFault(line: line, "this is no YAML: \(problem ?? "it cannot be read")")
      }
      return yaml_event_type_t(UInt32(type))
    }

    private var anchor: String? {
      // Sound: it ends with a zero.
      unsafe nftrace_yaml_anchor(yaml).map { unsafe String(cString: $0) }
    }

    private mutating func node(
      _ type: yaml_event_type_t, depth: Int
    ) throws(ConfigurationFault) -> ConfigurationNode {
      let (line, name, before) = (line, anchor, count)
      if type == YAML_ALIAS_EVENT {
        guard let name, let known = anchors[name] else {
          throw ConfigurationFault(
            line: line, "*\(name ?? "") is not known here: no &\(name ?? "") stands above")
        }
        try count(known.count, line)
        return known.node
      }
      try count(1, line)
      guard depth < YAML.deepest else {
        throw ConfigurationFault(line: line, "it has more than \(YAML.deepest) levels")
      }
      let value: ConfigurationNode.Value
      switch type {
      case YAML_SCALAR_EVENT: value = scalar()
      case YAML_SEQUENCE_START_EVENT:
        var nodes: [ConfigurationNode] = []
        while case let type = try next(), type != YAML_SEQUENCE_END_EVENT {
          nodes.append(try node(type, depth: depth + 1))
        }
        value = .list(nodes)
      default: value = .members(try members(depth))
      }
      let node = ConfigurationNode(line: line, value)
      if let name { anchors[name] = (node, count - before) }
      return node
    }

    private mutating func count(_ more: Int, _ line: Int) throws(ConfigurationFault) {
      count += more
      if count > YAML.most {
        throw ConfigurationFault(line: line, "it has more than \(YAML.most) values")
      }
    }

    private func scalar() -> ConfigurationNode.Value {
      var (length, isQuoted) = (0, Int32(0))
      let octets = unsafe nftrace_yaml_scalar(yaml, &length, &isQuoted)
      // Sound: it has as many octets as is said.
      let text = unsafe String(
        decoding: UnsafeRawBufferPointer(start: octets, count: length), as: UTF8.self)
      return isQuoted == 0 && ["", "~", "null"].contains(text) ? .nothing : .text(text)
    }

    private mutating func members(
      _ depth: Int
    ) throws(ConfigurationFault) -> [ConfigurationNode.Member] {
      var members: [ConfigurationNode.Member] = []
      var names: Set<String> = []
      while case let type = try next(), type != YAML_MAPPING_END_EVENT {
        let line = line
        guard type == YAML_SCALAR_EVENT, case .text(let name) = scalar() else {
          throw ConfigurationFault(line: line, "a name is expected here, such as 'tests'")
        }
        guard names.insert(name).inserted else {
          throw ConfigurationFault(line: line, "'\(name)' is there twice")
        }
        let value = try next()
        members.append(.init(name, line: line, try node(value, depth: depth + 1)))
      }
      return members
    }
  }
}
