package import Wire

extension ObservationPoint {
  /// The points to have around `chains`, with those at devices that `offered` says this kernel has.
  package static func plan(
    around chains: [BaseChain], edges offered: Set<Hook>
  ) -> [ObservationPoint] {
    plan(around: chains) + [.ingress, .egress].filter { offered.contains($0.hook) }
  }
}
