internal import Kernel
internal import Report
internal import Trace

// Probes that other machines watch as well.
extension PingRun {
  /// Has the machines watch what this header tells of. Returns those that do, as places behind so many others, and
  /// records of those that do not.
  static func join(
    _ machines: [RemoteMachine], _ header: SessionHeader, behind places: Int, _ loop: any EventLoop
  ) throws -> (places: [any ProbePlace], missing: [Record]) {
    if machines.isEmpty { return ([], []) }
    for machine in machines { try machine.begin(header) }
    try machines.awaitReady(loop)
    var remote: [any ProbePlace] = []
    var missing: [Record] = []
    for machine in machines {
      let twin = machine.header.flatMap { found in
        found.isPlace(of: header)
          ? "where the probes are sent" : remote.first { found.isPlace(of: $0.header) }?.header.via
      }
      if let twin, machine.isReady {
        let why = "it is the same machine as \(twin): it is told once"
        missing.append(Record(time: loop.realtime, .note(.missing(machine.name, why))))
        machine.leave()
      } else if machine.isReady, machine.end == nil, machine.offset != nil,
        let header = machine.header
      {
        remote.append(RemotePlace(places + remote.count, machine, header, loop))
        if header.version != Version.number {
          Output.complain(
            "\(machine.name) has nftrace \(header.version), and this is \(Version.number): what one of them does not know "
              + "is left out")
        }
      } else {
        let why = machine.end ?? "it did not say in time that it watches"
        missing.append(Record(time: loop.realtime, .note(.missing(machine.name, why))))
      }
    }
    return (remote, missing)
  }

  /// Takes in what came from other machines, which is on its way for longer than what this one says: it is about
  /// probes that are not settled.
  mutating func takeFromAfar(_ ping: inout PingStory) throws {
    guard places.areFarApart else { return }
    let isFar = { [places] (record: Record) in places[record.place].header.via != nil }
    let records = inbox.filter(isFar)
    inbox.removeAll(where: isFar)
    for record in records {
      let record = ping.timely(record)
      try sink.write(record)
      ping.take(record)
    }
  }
}
