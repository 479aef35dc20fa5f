package import Wire

/// What of a TUN device decides whether it is given the carrier that it was opened without. Without one it
/// looks to all others as if nobody had opened it; but then what is sent through it can be read nowhere but at
/// its egress point, and must get as far as that.
package struct SilentDeviceState: Sendable, Equatable {
  /// Whether routes through it are set to be ignored without a carrier: `ignore_routes_with_linkdown`.
  package var ignoresRoutes: Bool
  /// Whether it has a queueing discipline, filters or BPF programs of the user's: they come after the egress point.
  package var hasDiscipline: Bool

  /// A value with these fields.
  package init(ignoresRoutes: Bool, hasDiscipline: Bool) {
    self.ignoresRoutes = ignoresRoutes
    self.hasDiscipline = hasDiscipline
  }

  /// Whether the device of this name needs a carrier for the probes of `plan`, where these points are installed and these
  /// `NFT_MSG_NEWCHAIN` are there.
  package func needsCarrier(
    _ device: String, for plan: ProbePlan, points: [ObservationPoint], chains: [NetlinkMessage]
  ) -> Bool {
    // What a first carrier brings, a link-local address and multicast groups, probes for the link ask for.
    let isForTheLink = [plan.source, plan.destination].contains {
      $0.isLinkLocal || $0.isMulticast
    }
    return isForTheLink || ignoresRoutes || hasDiscipline || !points.contains(.egress)
      || Self.overtakesEgress(chains, on: device)
  }

  /// Whether one of these chains stands behind the point `egress` of a device: one of the last priority
  /// there is, for of two with the same the older one runs last.
  package static func overtakesEgress(_ chains: [NetlinkMessage], on device: String) -> Bool {
    chains.compactMap { try? ChainMessage($0.payload) }.contains { chain in
      chain.hook == .egress && chain.priority == ObservationPoint.egress.priority
        && !OwnTable.isOne(chain.table)
        && chain.devices.contains {
          $0.hasSuffix("*") ? device.hasPrefix($0.dropLast()) : $0 == device
        }
    }
  }
}
