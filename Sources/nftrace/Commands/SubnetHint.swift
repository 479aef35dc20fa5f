import App
import Kernel
import Trace
import Wire

/// What was meant by a word that stands where a subnet is to be, and is none.
enum SubnetHint {
  /// The words for it; nil where there is nothing better to say than that it is none. `isHere` is whether the
  /// interfaces of the calling network namespace are those that are spoken of.
  static func words(_ text: String, isHere: Bool) -> String? {
    if ["any", "all", "everything", "*"].contains(text) {
      return "'\(text)' is no subnet: 0.0.0.0/0 is all of IPv4, ::/0 all of IPv6"
    }
    guard !text.contains("/"), !text.contains(":"), TunDevice.fault(inName: text) == nil else {
      return nil
    }
    guard isHere, var routes = try? RouteSocket(), let link = (try? routes.link(text)) ?? nil else {
      return nil
    }
    let subnets = ((try? routes.addresses()) ?? []).filter {
      $0.interface == link.index && !$0.local.address.isLinkLocal
    }.map { "\($0.local.network)" }
    return
      "'\(text)' is an interface, and what is watched is the traffic of subnets, by whatever interface it goes: "
      + (subnets.isEmpty
        ? "give one, such as 192.168.69.0/24"
        : "on \(text) there is \(subnets.joined(separator: " and "))")
  }
}
