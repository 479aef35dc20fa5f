import Trace
import Wire

/// What was asked of a setup. nil is what was not said.
struct SetupRequest {
  var subnets: Subnets
  var backend: SetupBackend?
  var group: UInt16?
  var tun: String?
  var tunAddresses: [Prefix]
  var masquerade: Bool
  var forward: Bool
  var record: Bool
  var limit: Int
  var options: SharedOptions
}
