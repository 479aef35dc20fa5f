package import Wire

/// Where probes come in, and the addresses that go with it.
package struct ProbeEntrance {
  /// The address they come from.
  package let source: IPAddress
  /// The subnet behind the device.
  package let subnet: Prefix
  /// The interface they come in by; nil where this host sends them.
  package let deviceName: String?
  /// Whether that is a TUN device.
  package let isTun: Bool
  /// How they are sent, and answers are read.
  package let path: any ProbePath
  /// The TUN device, if its carrier was left as it is.
  package let silent: (any SilentDevice)?

  /// An entrance of these parts.
  package init(
    source: IPAddress, subnet: Prefix, deviceName: String?, isTun: Bool, path: any ProbePath,
    silent: (any SilentDevice)? = nil
  ) {
    self.source = source
    self.subnet = subnet
    self.deviceName = deviceName
    self.isTun = isTun
    self.path = path
    self.silent = silent
  }
}
