package import Trace
package import Wire

/// What was asked of a setup. nil is what was not said.
package struct SetupRequest {
  var subnets: Subnets
  var backend: SetupBackend?
  var group: UInt16?
  var tun: String?
  var tunAddresses: [Prefix]
  var masquerade: Bool
  var forward: Bool
  var record: Bool
  /// The SSH connection of who asks, which is not to be observed; nil where it is, or where there is none.
  package var leftOut: TCPConversation?
  /// Whether it was asked for that it is observed.
  package var includesOwn = false
  /// Where the recorder tells what it counts: an absolute path.
  package var metrics: String?
  /// Octets of a recording.
  var limit: Int
  var options: OutputOptions

  /// A request of these values.
  package init(
    subnets: Subnets, backend: SetupBackend? = nil, group: UInt16? = nil, tun: String? = nil,
    tunAddresses: [Prefix] = [], masquerade: Bool = false, forward: Bool = false,
    record: Bool = true, limit: Int, options: OutputOptions
  ) {
    self.subnets = subnets
    self.backend = backend
    self.group = group
    self.tun = tun
    self.tunAddresses = tunAddresses
    self.masquerade = masquerade
    self.forward = forward
    self.record = record
    self.limit = limit
    self.options = options
  }
}
