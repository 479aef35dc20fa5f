import App
import Kernel
import Trace

/// The network namespaces of this machine.
struct LiveSurveyor: NamespaceSurveyor {
  func survey() -> NamespaceSurvey { NamespaceSurvey() }

  func open(_ found: NamespaceSurvey.Found) throws(KernelError) -> any NamespaceHandle {
    try HeldNamespace(found)
  }

  func place() throws(KernelError) -> NamespacePlace { try .current() }
}

/// This machine, for status.
struct LiveStatus: StatusKernel {
  private let surveyor = LiveSurveyor()
  let rights: any Rights = ProcessRights()

  var release: String { Machine.kernelRelease }

  func survey() -> NamespaceSurvey { surveyor.survey() }

  func open(_ found: NamespaceSurvey.Found) throws(KernelError) -> any NamespaceHandle {
    try surveyor.open(found)
  }

  func place() throws(KernelError) -> NamespacePlace { try surveyor.place() }

  func requirements() -> [Requirement] { Requirement.all() }

  func routerTracing() -> RouterTracing? { .here() }

  func tables() throws(KernelError) -> [TableName] {
    var rules = try RulesetReader()
    return try rules.tables().map { TableName($0.family, $0.name) }
  }

  func surroundings() throws(KernelError) -> SetupSurroundings { try .read() }

  func holder(of group: UInt16) -> String? { LogGroups.holder(of: group) }

  func hasLink(_ name: String) -> Bool {
    guard var routes = try? RouteSocket() else { return false }
    return (try? routes.link(name)) != nil
  }

  func isAlive(_ process: Int32) -> Bool { ProcessIdentity(process)?.isAlive == true }

  func programs(called name: String) -> [RunningProgram] { RunningProgram.all(called: name) }
}
