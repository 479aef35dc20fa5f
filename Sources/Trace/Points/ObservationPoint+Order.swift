internal import Wire

extension ObservationPoint {
  /// Ascending along the path of a packet through this host.
  var rank: (Int, Int32) {
    let stage =
      switch hook {
      case .ingress: 0
      case .prerouting: 1
      case .input, .forward, .output: 2
      case .postrouting: 3
      case .egress: 4
      }
    return (stage, priority)
  }

  /// Whether a packet seen at `earlier` can come here next.
  func follows(_ earlier: ObservationPoint) -> Bool {
    switch (earlier.hook, hook) {
    case (.input, .forward), (.input, .output), (.forward, .input), (.forward, .output),
      (.output, .input), (.output, .forward), (.prerouting, .output), (.ingress, .output),
      (.input, .postrouting), (.input, .egress):
      // INPUT is a packet's end; OUTPUT is a beginning.
      false
    default: earlier.rank < rank
    }
  }
}
