/// How probes enter; the raw value is the name in JSON.
package enum EntranceKind: String, Sendable, JSONCoded {
  /// Through a TUN device, as if a client behind it had sent them.
  case tun
  /// This host sends them.
  case local
  /// As if received on an interface.
  case arriving = "in"
}
