internal import CNetfilter
internal import Glibc
internal import Trace
internal import Wire

/// A copy of this process that waits, with the rights which this one gives up, until it is asked what takes
/// them to find out; mostly it never is. To look at what all programs have open takes milliseconds, on a busy
/// machine many, and is wanted for lost packets alone.
package final class Deputy: Sendable {
  private let process: ForkedProcess
  private var connection: Int32 { process.connection }

  /// What it can be asked; each is a line.
  private enum Request: String {
    case descriptors
    case namespaces
    /// With the inode of a network namespace.
    case connections
    /// With an address and the interface behind which it was looked for.
    case whereabouts
    /// With the words that say what is sent, as a JSON list.
    case trial
    /// The same.
    case search
    /// With the number of a family, a table, a chain, a tool and the handles of rules.
    case rules
  }

  /// Starts it, with the rights and the network namespace of the calling thread, which must be the only one.
  /// Nil where that fails. `more` is what it takes besides to send a probe once more.
  package init?(keeping more: Capabilities = []) {
    let process = ForkedProcess { connection, _ in
      Self.serve(FileDescriptor(owning: connection), keeping: more)
    }
    guard let process else { return nil }
    self.process = process
  }

  /// What programs have open now; nil when it is gone, or says nothing for two seconds.
  func descriptors() -> DescriptorSurvey? {
    ask(.descriptors).flatMap { DescriptorSurvey(json: $0) }
  }

  /// What `--netns` takes for each network namespace, by its inode; nil when it is gone.
  package func namespaces() -> [UInt64: String]? {
    guard case .object(let members)? = ask(.namespaces) else { return nil }
    return members.reduce(into: [:]) { names, member in
      if let inode = UInt64(member.0), case .string(let name) = member.1 { names[inode] = name }
    }
  }

  /// Whether rules of another network namespace, of this inode, may make of a packet what depends on packets before it;
  /// nil where that cannot be told.
  package func knowsConnections(inNamespace inode: UInt64) -> Bool? {
    guard case .bool(let answer)? = ask(.connections, ["\(inode)"]) else { return nil }
    return answer
  }

  /// What other namespaces of this machine know of an address that is looked for behind an interface; nil where that cannot be
  /// told.
  func whereabouts(of address: IPAddress, behind device: String) -> Whereabouts? {
    guard case .string(let side)? = ask(.whereabouts, ["\(address)", device]) else { return nil }
    return Whereabouts(json: side)
  }

  /// What came of the remedy of a probe that these words of a command line send, tried in a copy of the network namespace in
  /// which this began: what `nftrace ping --prove` prints. Nil where that fails, or takes longer than ten seconds.
  package func trial(_ words: [String]) -> String? { output(.trial, words) }

  /// What lets a probe through that these words of a command line ask about: what `nftrace why-not --prove` prints. Nil
  /// where that fails, or takes longer than ten seconds.
  package func search(_ words: [String]) -> String? { output(.search, words) }

  /// The texts of the rules with these handles in the chain of a step, in the words of a tool; nil where that fails.
  func texts(of handles: [UInt64], in step: RuleStep, _ tool: RuleText.Tool) -> [String]? {
    let words =
      ["\(step.family)", step.table, step.chain, tool.rawValue] + handles.map { "\($0)" }
    guard case .array(let texts)? = ask(.rules, words), texts.count == handles.count else {
      return nil
    }
    return Self.texts(texts)
  }

  private func output(_ request: Request, _ words: [String]) -> String? {
    var patience = timeval(tv_sec: 10, tv_usec: 0)
    // Sound: the size is that of the variable pointed to.
    _ = unsafe setsockopt(
      connection, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    guard case .string(let output)? = ask(request, words) else { return nil }
    return output
  }

  private func ask(_ request: Request, _ words: [String] = []) -> JSONValue? {
    let answer = answer(to: request, words)
    // What comes late would be taken for the answer to the next question.
    if answer == nil { shutdown(connection, Int32(SHUT_RDWR)) }
    return answer
  }

  private func answer(to request: Request, _ words: [String]) -> JSONValue? {
    let line = Self.lineEnd
    let list = words.isEmpty ? "" : " " + JSONValue.array(words.map { .string($0) }).line
    guard Self.send(request.rawValue + list + "\n", to: connection) else { return nil }
    var answer: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while answer.last != line {
      // Sound: the pointer and the size are those of one buffer.
      let count = try? syscall {
        unsafe buffer.withUnsafeMutableBytes { unsafe read(connection, $0.baseAddress!, $0.count) }
      }
      guard let count, count > 0 else { return nil }
      answer += buffer[..<count]
    }
    return try? JSONValue(String(decoding: answer.dropLast(), as: UTF8.self))
  }

  // MARK: In the copy

  private static func serve(
    _ connection: borrowing FileDescriptor, keeping more: Capabilities
  ) -> Never {
    // It reads alone. The numbers of BPF programs are looked up with CAP_SYS_ADMIN.
    // Packet sockets are for copies of the network namespace.
    try? Privileges.keep(
      more.union([.processes, .fileReading, .system, .network, .rawSockets]))
    var line: [UInt8] = []
    var octet: UInt8 = 0
    // Sound: the pointer is that of the one octet to be filled.
    while (try? syscall { unsafe read(connection.number, &octet, 1) }) == 1 {
      guard octet == lineEnd else {
        line.append(octet)
        continue
      }
      let words = line.split(separator: UInt8(ascii: " "), maxSplits: 1)
      let list = words.dropFirst().first.map { Array($0) } ?? []
      let answer: JSONValue =
        switch words.first.flatMap({ Request(rawValue: String(decoding: $0, as: UTF8.self)) }) {
        case .trial: trial("ping", texts(list))
        case .search: trial("why-not", texts(list))
        case .whereabouts: whereabouts(texts(list))
        case .connections: knowsConnections(texts(list).first)
        case .rules: rules(texts(list))
        case .descriptors: DescriptorSurvey.now().json
        case .namespaces: .object(NamespaceSurvey.calls().map { ("\($0.key)", .string($0.value)) })
        case nil: .null
        }
      line = []
      if !send(answer.line + "\n", to: connection.number) { break }
    }
    _exit(0)
  }

  /// Options that a trial may be asked with: who asks may have been taken over by what it has read.
  private static let options: Set<String> = [
    "--local", "--tun", "--in", "-s", "-p", "--sport", "--dport", "-t", "--tos", "--size", "--df",
    "--no-df", "--data", "--unreturned", "--refused", "--silent", "--octets", "-I", "--mark",
    "--user", "--tcp-flags", "--context", "--ioam", "--ioam-namespace",
  ]

  /// The texts of a JSON list.
  private static func texts(_ list: [UInt8]) -> [String] {
    guard case .array(let words)? = try? JSONValue(String(decoding: list, as: UTF8.self)) else {
      return []
    }
    return texts(words)
  }

  private static func texts(_ words: [JSONValue]) -> [String] {
    words.compactMap { if case .string(let text) = $0 { text } else { nil } }
  }

  private static func rules(_ words: [String]) -> JSONValue {
    guard words.count > 4, let family = UInt8(words[0]),
      let tool = RuleText.Tool(rawValue: words[3])
    else { return .null }
    let step = RuleStep(
      family: family, table: words[1], chain: words[2], .policy, verdict: .continue)
    let found = LoneRules.texts(of: words[4...].compactMap { UInt64($0) }, in: step, tool)
    return found.map { .array($0.map { .string($0) }) } ?? .null
  }

  private static func whereabouts(_ words: [String]) -> JSONValue {
    guard words.count == 2, let address = IPAddress(words[0]) else { return .null }
    return .string(AddressSurvey.find(address, behind: words[1]).json)
  }

  private static func knowsConnections(_ inode: String?) -> JSONValue {
    let found = NamespaceSurvey().found.first { "\($0.identity.inode)" == inode }
    let answer = try? found?.open().within { () throws(KernelError) -> Bool in
      // What iptables-legacy has cannot be listed by this.
      let isLegacy = [4, 6].contains { !LegacyTables.names(version: $0).isEmpty }
      var rules = try RulesetReader()
      return isLegacy ? true : try rules.remembers()
    }
    return answer.map { .bool($0) } ?? .null
  }

  private static func trial(_ command: String, _ texts: [String]) -> JSONValue {
    let isPlain = texts.allSatisfy { !$0.hasPrefix("-") || options.contains($0) }
    guard isPlain, texts.first == command else { return .null }
    return ChildProcess.output(["/proc/self/exe"] + texts + ["--prove"]).map { .string($0) }
      ?? .null
  }

  private static let lineEnd = UInt8(ascii: "\n")

  private static func send(_ text: String, to connection: Int32) -> Bool {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      // Sound: the pointer and the size are those of one buffer. Who went is no reason for a signal.
      let count = try? syscall {
        unsafe rest.withUnsafeBytes {
          unsafe Glibc.send(connection, $0.baseAddress!, $0.count, Int32(MSG_NOSIGNAL))
        }
      }
      guard let count else { return false }
      rest = rest.dropFirst(count)
    }
    return true
  }
}
