import ArgumentParser
import Trace

/// An option that a command does not have.
enum UnknownOption {
  /// The first option among the words of a command line that the command does not have, and the one that was
  /// meant, if one is like it; nil if it has them all. What an option takes for its value is none.
  static func first(
    in words: [String], of command: any ParsableCommand.Type
  ) -> (name: String, nearest: String?)? {
    let known = names(of: command)
    var rest = words[...]
    while let word = rest.popFirst(), word != "--" {
      guard word.hasPrefix("-"), word.count > 1 else { continue }
      let name = word.hasPrefix("--") ? String(word.prefix { $0 != "=" }) : String(word.prefix(2))
      guard let takesValue = known[name] else {
        if word.first?.isNumber == true || Double(word) != nil { continue }
        return (name, NearestWord.to(name, among: known.keys.sorted()))
      }
      if takesValue, word == name { _ = rest.popFirst() }
    }
    return nil
  }

  /// What is typed here for an option that other programs have; nil where that is nothing.
  static func habit(_ name: String, of command: String) -> String? { habits[command]?[name] }

  private static let habits: [String: [String: String]] = [
    "ping": [
      "-D": "--time iso tells times of day, and --json has them", "-f": "-i0 sends without a pause",
      "-O": "each probe is told, answered or not", "-M": "--df forbids fragmentation",
      "-Q": "--tos is the type of service", "-m": "--mark is the packet mark, and -t the TTL",
      "-l": "-i0 sends without a pause", "-R": "--json and -v tell every step",
      "-V": "--version tells it", "-A": "-i0 sends the next one once the last is answered",
      "-P": "-p is the protocol, and --dport the port", "-T": "-p tcp --dport N sends a SYN",
      "-U": "-p udp sends a datagram", "-S": "-s is the source, and --size the length",
      "-b": "it may go to a broadcast address as it is", "-L": "nothing of its own is looped back",
      "-o": "-c1 ends with the first, and is the default", "-a": "there is no bell",
      "-r": "-I IFACE sends through an interface", "-u": "-p udp sends a datagram",
      "--port": "--dport is the port it goes to, --sport the one it comes from",
      "--tcp": "-p tcp sends a SYN", "--udp": "-p udp sends a datagram",
      "--icmp": "-p icmp, the default, sends an echo request", "--src": "-s is the source",
      "--interface": "-I IFACE sends through it, --in IFACE lets the probe arrive there",
      "--iif": "--in IFACE lets the probe arrive there", "--oif": "-I IFACE sends through it",
    ],
    "show": [
      "-f": "--follow goes on with what comes", "-F": "--follow goes on with what comes",
      "-n": "--last N shows the last few; addresses are never looked up",
      "-r": "the file is named without an option", "-c": "--last N shows the last few",
      "-w": "--export FILE writes for tcpdump", "-i": "--netns names a network namespace",
      "-t": "--time says how times are told", "-p": "--protocol is the protocol",
      "-s": "--from is the source", "-d": "--to is the destination",
      "--source": "--from is the source", "--src": "--from is the source",
      "--destination": "--to is the destination", "--dst": "--to is the destination",
      "--host": "--from and --to are addresses", "--dport": "--port is one of its ports",
      "--sport": "--port is one of its ports", "--tail": "--last N shows the last few",
      "--drop": "--lost shows what did not get through",
      "--dropped": "--lost shows what did not get through",
      "--live": "--follow goes on with what comes", "--head": "'show | head' shows the first few",
    ],
    "recordings": [
      "--delete": "--remove NAME removes one", "--rm": "--remove NAME removes one",
      "-d": "--remove NAME removes one", "-r": "--remove NAME removes one",
      "-D": "--remove NAME removes one", "--delete-all": "--remove-all removes all",
      "--clear": "--remove-all removes all", "--purge": "--remove-all removes all",
      "--all": "all are listed; --remove-all removes them",
      "-l": "they are listed without an option",
      "-a": "all are listed; --remove-all removes them",
      "--list": "they are listed without an option",
    ],
    "setup": [
      "-p": "all protocols are watched; 'show --protocol' chooses",
      "-i": "the traffic of subnets is watched, whatever the interface",
      "-w": "'nftrace record FILE' writes to a file",
    ],
  ]

  /// The names of a command's options, and whether they take a value.
  static func names(of command: any ParsableCommand.Type) -> [String: Bool] {
    var names: [String: Bool] = ["-h": false, "--help": false, "--version": false]
    guard case .object(let whole) = try? JSONValue(command._dumpHelp()),
      case .object(let told)? = whole.first(where: { $0.0 == "command" })?.1,
      case .array(let arguments)? = told.first(where: { $0.0 == "arguments" })?.1
    else { return names }
    for case .object(let argument) in arguments {
      let isOption = argument.contains { $0.0 == "kind" && $0.1 == .string("option") }
      guard case .array(let spellings)? = argument.first(where: { $0.0 == "names" })?.1 else {
        continue
      }
      for case .object(let spelling) in spellings {
        guard case .string(let name)? = spelling.first(where: { $0.0 == "name" })?.1 else {
          continue
        }
        names[(name.count == 1 ? "-" : "--") + name] = isOption
      }
    }
    return names
  }
}
