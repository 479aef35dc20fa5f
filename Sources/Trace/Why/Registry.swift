/// All diagnoses there are, one a file in Causes. The order is that in which a packet meets them: the
/// first cause that speaks is told.
package enum Registry {
  static let all: [any Diagnosis.Type] = [
    SourceNowhere.self,
    // What conntrack remembers.
    StaleConnection.self, StaleConnection.Recorded.self,
    // Rules and policies.
    ReplyFromStranger.AsNewConnection.self, ICMPErrorFiltered.self, ReplyMisrouted.OfRefusal.self,
    NoReply.OfRefusal.self,
    QueueWithoutListener.self, QueueVerdict.self, TProxyWithoutListener.self,
    TProxyWithoutRoute.self, MasqueradeNoAddress.self, InvalidStateDrop.self, RuleReject.self,
    ReplyFiltered.self, DNATThenFiltered.self, LegacyDrop.self, PolicyDrop.self, RuleDrop.self,
    ConntrackTableFull.self, LegacyDrop.Unnamed.self,
    // Routing and forwarding.
    LocalTablePassed.self, RoutingLoop.self, DuplicateAddress.self, DuplicateAddress.Tentative.self,
    MartianSource.self,
    MartianDestination.self, BadPacket.self, LocalSource.self,
    BridgePortState.Down.Between.self, NeighbourUnresolved.Between.self, ForwardingDisabled.self,
    ProhibitRoute.self,
    UnreachableRoute.self, BlackholeRoute.self,
    NoRoute.self, ReversePathFilter.self, TTLExpired.self, FragmentationNeeded.self,
    // Behind the last hook.
    IPsecNoState.self, IPsecPolicy.self, MulticastNotJoined.self, NoCarrier.self,
    BridgeHairpinOff.self, BridgePortIsolated.self, BridgePortMTU.self,
    BridgePortLocked.self, BridgePortState.self,
    NeighbourDiscoveryFiltered.self,
    RedirectFollowed.self, DuplicateAddress.OfNeighbour.self,
    DuplicateAddress.Tentative.OfNeighbour.self, DiscoveryUnanswered.OfNeighbour.self,
    BridgePortIsolated.OfNeighbour.self, ProxyNeighbourMissing.OfNeighbour.self,
    BridgePortState.Down.self,
    NeighbourUnresolved.self, VXLANWithoutEntry.self, HandedToTunnel.Unsent.self, SNATClash.self,
    // Delivered.
    NotTranslated.Delivered.self, NotTranslated.Destination.self,
    TProxyWithoutListener.PassedOver.self, EchoIgnored.self, BroadcastNotForwarded.self,
    AcceptQueueFull.self, SYNQueueFull.self, ReceiveBufferFull.self,
    SocketFilter.self, AnswerRefused<ProhibitRoute>.self, AnswerRefused<UnreachableRoute>.self,
    AnswerRefused<BlackholeRoute>.self, NoRoute.OfAnswer.self,
    NoReply.ResetAfterHandshake.self, NoListener.self,
    UnknownProtocol.self,
    // Answered, and not as the client expects it.
    FilterRedirected.self, NeighbourUnresolved.NotAsked.OfAnswer.self, BridgeFloodOff.self,
    DiscoveryUnanswered.self, NeighbourDiscoveryFiltered.OfClient.self,
    NoReply.HandedOn.self, HairpinWithoutMasquerade.self, NotTranslated.Reply.self,
    ReplyFromStranger.self,
    ReplyMisrouted.self, NoReply.KeptByClient.self, NoReply.OfAnswer.self,
    // Sent, and not answered.
    BridgeStaticEntry.self,
    SYNProxyLoose.self, NoReply.PastMainTable.self, TTLExpired.FarAway.self,
    FragmentationNeeded.FarAway.self,
    NoReply.FarAway.self, NeighbourDiscoveryFiltered.OfAnswer.self, NoReply.PastHooks.self,
    NoReply.AfterHandshake.self,
    ProxyNeighbourMissing.self, NeighbourUnresolved.NotAsked.self, HandedToTunnel.self,
    NotTranslated.self, SourceOfAnotherInterface.self, NoReply.EndedElsewhere.self,
    HandedToTunnel.OverIP.self,
    MissingMasquerade.PastUplink.self, MissingMasquerade.self, UnroutableSNAT.self,
    HandedToTunnel.ForOthers.self, LostAfter.InQueue.self, NoReply.self,
    // None of these.
    XDPDrop.self, TCDrop.self, QdiscDrop.self, DroppedByKernel.self, LostAfter.self,
    // Warnings and notes.
    ReplyMisrouted.ByAnotherUplink.self, ReplyMisrouted.ByAnotherMachine.self,
    AnsweredPastHost.self, NoReply.PerhapsKeptByClient.self, SYNProxyLoose.Warning.self,
    NATOncePerFlow.self,
    HairpinRedirect.self,
    Fragmented.self, BridgeNetfilter.self, OwnerAsRoot.self, AdvertisementsIgnored.self,
    XDPBypassed.self,
    FlowOffloaded.self, MixedBackends.self, Fragmented.OnTheWay.self, EventsLost.self,
    ClockSet.self,
    RecordingEnded.self, MachineMissing.self,
  ]

  /// The causes in their order.
  static let causes = all.compactMap { diagnosis -> (any Cause.Type)? in
    if case .cause(let type) = diagnosis.kind { type } else { nil }
  }
  static let exchangeNotes = all.compactMap { diagnosis -> (any ExchangeNote.Type)? in
    if case .exchangeNote(let type) = diagnosis.kind { type } else { nil }
  }
  static let lossNotes = all.compactMap { diagnosis -> (any LossNote.Type)? in
    if case .lossNote(let type) = diagnosis.kind { type } else { nil }
  }

  /// What is asked of the kernel about a lost probe.
  static let needs = Set(all.flatMap { $0.needs })

  /// The pages of all ids, in the same order.
  package static let pages: [FindingPage] = {
    var pages: [FindingPage] = []
    for diagnosis in all {
      if let place = pages.firstIndex(where: { $0.id == diagnosis.page.id }) {
        let known = pages[place].needs
        pages[place].needs += diagnosis.needs.filter { !known.contains($0) }
      } else {
        var page = diagnosis.page
        page.needs = diagnosis.needs
        pages.append(page)
      }
    }
    return pages
  }()
}
