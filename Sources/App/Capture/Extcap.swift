internal import Kernel
internal import Trace

/// What nftrace answers to Wireshark, which asks what it can capture: the lines of its extcap interface, extcap(4).
package enum Extcap {
  /// The one interface there is.
  package static let interface = "nftrace"

  /// The answer to --extcap-interfaces.
  package static var interfaces: [String] {
    [
      "extcap {version=\(Version.number)}{help=man:nftrace-extcap(8)}",
      "interface {value=\(interface)}{display=What netfilter does with packets}",
    ]
  }

  /// The answer to --extcap-dlts: that of the first of a session's interfaces, for Wireshark wants one.
  package static var dlts: [String] {
    ["dlt {number=239}{name=NFLOG}{display=NFLOG, netlink and IP, as pcapng}"]
  }

  /// The answer to --extcap-config.
  package static func config(_ surveyor: any NamespaceSurveyor) -> [String] {
    [
      sentence(
        "arg",
        [
          ("number", "0"), ("call", "--netns"), ("display", "Network namespace"),
          ("tooltip", "The setup of this network namespace is captured"), ("type", "selector"),
          ("reload", "true"), ("placeholder", "Look again"),
        ]),
      sentence(
        "arg",
        [
          ("number", "1"), ("call", "--past"), ("display", "What was recorded before as well"),
          ("tooltip", "Begin with what is in the file of the setup's recorder"),
          ("type", "boolflag"),
          ("default", "false"),
        ]),
    ] + namespaces(surveyor)
  }

  /// The answer to --extcap-reload-option: the network namespaces that are found.
  package static func namespaces(_ surveyor: any NamespaceSurveyor) -> [String] {
    let here = try? surveyor.place().inode
    return surveyor.survey().found.compactMap { found in
      // What cannot be said in these words cannot be chosen by them.
      guard let call = found.call, plain(call) == call else { return nil }
      return sentence(
        "value",
        [
          ("arg", "0"), ("value", call), ("display", found.description + watched(found, surveyor)),
          ("default", found.identity.inode == here ? "true" : "false"),
        ])
    }
  }

  /// What the setup there watches, as far as that may be known.
  private static func watched(
    _ found: NamespaceSurvey.Found, _ surveyor: any NamespaceSurveyor
  ) -> String {
    let setup = try? ChosenNamespace(nil, surveyor.open(found)).within {
      try SetupFiles(namespace: surveyor.place()).load()
    }
    return setup.map { ", where \($0.subnets.joined(separator: ", ")) is watched" } ?? ""
  }

  private static func sentence(_ word: String, _ values: [(name: String, value: String)]) -> String
  {
    "\(word) " + values.map { "{\($0.name)=\(plain($0.value))}" }.joined()
  }

  /// The text without what ends a value.
  private static func plain(_ text: String) -> String {
    String(text.filter { !"{}\n\r".contains($0) })
  }
}
