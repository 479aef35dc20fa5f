/// Which nftrace this is.
package enum Version {
  /// As `nftrace --version` says it.
  package static let number = "0.1.0"
}
