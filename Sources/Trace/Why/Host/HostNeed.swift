/// What a diagnosis has to know of this host besides netfilter and routing; the raw value says it in
/// words.
package enum HostNeed: String, Sendable, CaseIterable {
  case sockets = "the sockets at the packet's port, and their programs"
  case queues = "the queues that programs read, and their programs"
  case policies = "the policies of IPsec, and whether there are associations for them"
  case holders = "the program that has the outgoing TUN device open"
  case memberships = "the members of multicast groups"
  case proxies = "the addresses that this host answers neighbours' questions for"
  case advertisements = "where IPv6 routers announce themselves, and what is made of that"
  case programs = "XDP programs, tc filters and queues of the interfaces on its way"
  case redirects = "filters of tc that give packets to other interfaces than theirs"
  case portForwards = "the NAT rules for its port"
  case transparentProxies = "the rules of nft that give packets to transparent proxies"
  case rulesBeside = "the other rules of the chain that ended its way, and elements of sets"
  case whereabouts =
    "what other namespaces of this machine know of a neighbour who does not answer"
  case sourceTranslations = "how many rules there are in the nat chains of POSTROUTING"
}
