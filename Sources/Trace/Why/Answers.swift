/// What the kernel answered, as a diagnosis sees it: what it has not among its needs, nobody asked for,
/// and it is not told.
struct Answers {
  private let known: Shared<Snapshot>
  /// What the session is.
  private let session: Shared<SessionHeader>?
  /// Of the diagnosis that looks.
  var needs: [Need]

  init(_ known: Shared<Snapshot>, to needs: [Need], in session: Shared<SessionHeader>? = nil) {
    self.known = known
    self.session = session
    self.needs = needs
  }

  /// What is known of the namespace.
  var snapshot: Snapshot { _read { yield known.value } }
  /// What the session is.
  var header: SessionHeader? { session?.value }
  /// The probes, if it is about one.
  var plan: ProbePlan? { session?.value.probe }

  /// Whether this may be told. A diagnosis that asks for what it does not need is in error.
  func has(_ need: Need) -> Bool {
    let isNeeded = needs.contains(need)
    assert(isNeeded, "\(need) is looked at, and is not among the needs")
    return isNeeded
  }

  /// By how much a counter went up while the probe was on its way.
  func delta(_ counter: Counter) -> UInt64 {
    has(.counter(counter)) ? snapshot.counterDeltas[counter.name] ?? 0 : 0
  }

  /// The same of an interface's counter.
  func delta(_ counter: InterfaceCounter, of device: String) -> UInt64 {
    has(.interfaceCounter(counter)) ? snapshot.counterDeltas[counter.name(of: device)] ?? 0 : 0
  }

  /// The value of a setting.
  func value(of setting: Setting) -> String? {
    has(.setting(setting)) ? snapshot.sysctls[setting.name] : nil
  }

  /// What this host was found to have, of what is needed.
  func host(_ need: HostNeed) -> HostState {
    has(.host(need)) ? snapshot.host : HostState()
  }

  /// The name and the value of a setting of an interface.
  func setting(
    _ setting: InterfaceSetting, of device: String, version: Int
  ) -> (name: String, value: String)? {
    guard has(.interfaceSetting(setting)) else { return nil }
    let name = setting.name(of: device, version: version)
    return snapshot.sysctls[name].map { (name, $0) }
  }
}
