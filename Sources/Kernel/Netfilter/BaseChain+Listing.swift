internal import CNetfilter
package import Trace
package import Wire

extension BaseChain {
  /// The base chains among listed ones that packets of these IP versions meet, save nftrace's own: of these, only that
  /// by which an interception changes answers does something.
  package static func all(in messages: [NetlinkMessage], versions: Set<Int>) -> [BaseChain] {
    messages.compactMap { message in
      guard let chain = try? ChainMessage(message.payload), let hook = chain.hook,
        let priority = chain.priority,
        !OwnTable.isOne(chain.table) || chain.name == OwnTable.answersChain
      else { return nil }
      switch chain.family {
      case NFProto.inet: break
      case NFProto.ipv4 where versions.contains(4): break
      case NFProto.ipv6 where versions.contains(6): break
      default: return nil
      }
      return BaseChain(
        hook: hook, priority: priority, name: chain.name, type: chain.type ?? "filter")
    }
  }
}
