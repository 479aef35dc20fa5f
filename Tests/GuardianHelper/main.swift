// A command that dies in the middle of its work, for the tests of the journal and its guardian:
//   guardian-helper guardian JOURNAL [--namespaces] what `GuardedJournal` runs
//   guardian-helper victim NAMESPACE DIRECTORY   changes things, then kills itself with SIGKILL

import Glibc
import Kernel
import Wire

do {
  let words = CommandLine.arguments
  switch words.dropFirst().first {
  case "guardian":
    try GuardedJournal.guardianMain(
      journal: words[2], namespaces: words.contains("--namespaces"))
  case "victim": try die(in: words[2], journal: words[3])
  default: exit(2)
  }
} catch {
  print(error)
  exit(1)
}

func die(in namespace: String, journal directory: String) throws {
  try NetworkNamespace(namespace).enter()
  let journal = try GuardedJournal(in: directory, namespaces: true)
  try journal.set(.forwarding4, to: "1")
  var socket = try RouteSocket()
  // A table of those that a diversion has.
  let rule = RoutingRule(family: 4, priority: 4242, table: 0x6e66_7400)
  try journal.add(rule, with: &socket)
  guard try Sysctl.forwarding4.read() == "1", try socket.rules().contains(rule) else { exit(3) }
  let lab = try Lab.create(journal: journal)
  guard NetworkNamespace.names.contains(lab.routerName) else { exit(4) }
  // What a terminal, a service manager or a closed window would send to all.
  for signal in [SIGINT, SIGTERM, SIGHUP] { kill(journal.guardianProcess, signal) }
  kill(getpid(), SIGKILL)
  pause()
}
