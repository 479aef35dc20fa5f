import App
import ArgumentParser
import Trace
import Wire

// Other machines on which the probes are watched.
extension Ping {
  func checkMachines() throws {
    if machines.via.isEmpty { return }
    for (name, isThere) in [
      ("--with", !with.isEmpty), ("--dry-run", dryRun), ("--like", like != nil),
    ] where isThere {
      throw ValidationError("--via and \(name) exclude each other")
    }
    if hasClient, local {
      throw ValidationError(
        "--via watches one probe: not with --local and a client, which asks both ways")
    }
  }

  /// What the probes have beside their payload has to fit them.
  func checkCarriers() throws {
    for (name, isThere) in [("--ioam", machines.ioam), ("--context", !machines.context.isEmpty)]
    where isThere {
      if like != nil {
        throw ValidationError("\(name) is for probes that nftrace makes: not with --like")
      }
      if data != nil {
        throw ValidationError(
          "\(name) and --data exclude each other: a program's connection has no such headers")
      }
      if !with.isEmpty, name == "--ioam" {
        throw ValidationError("--ioam asks routers, and in a copy there are none: not with --with")
      }
    }
    if machines.carriers.contains(.hubble), machines.carriers.contains(.beyla) {
      throw ValidationError(
        "--context hubble and --context beyla are one option of IPv4: one of them")
    }
    if machines.carriers.contains(.tcpData), packet.size != nil {
      throw ValidationError(
        "--context tcp-data and --size both say what a SYN carries: one of them")
    }
    for carrier in machines.carriers where carrier.isOfTCP {
      guard proto.description == "tcp", tcpFlags == nil || tcpFlags == "syn" else {
        throw ValidationError("--context \(carrier.rawValue) is for a SYN: -p tcp")
      }
    }
    if let version = ProbeTarget(destination)?.address?.family { try checkCarriers(version) }
  }

  /// The same of an IP version.
  func checkCarriers(_ version: Int) throws {
    if machines.ioam, version != 6 {
      throw ValidationError(
        "--ioam is for IPv6, and \(destination) is IPv\(version): a name with -6, or an IPv6 address"
      )
    }
    for carrier in machines.carriers {
      if let needed = carrier.version, needed != version {
        throw ValidationError(
          "--context \(carrier.rawValue) is for IPv\(needed), and \(destination) is IPv\(version)")
      }
    }
  }
}
