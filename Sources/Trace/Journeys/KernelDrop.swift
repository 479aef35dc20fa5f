/// What the kernel said of a packet that it dropped.
package struct KernelDrop: Sendable, Equatable {
  /// The kernel's name for the reason, where it gave one.
  package var reason: String?
  /// The function of the kernel that dropped it, with an offset.
  package var location: String?

  /// Whether a bridge dropped it, and not what it hands to the hooks of IP.
  package var isInBridge: Bool {
    location.map { $0.hasPrefix("br_") && !$0.hasPrefix("br_nf_") } ?? false
  }

  /// A drop of these fields.
  package init(reason: String? = nil, location: String? = nil) {
    self.reason = reason
    self.location = location
  }
}
