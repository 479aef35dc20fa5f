import Fixtures
import Testing
import Wire

@testable import Trace

/// The catalogue of diagnoses: that it is whole, and that each is told what it asks for and no more.
@Suite struct RegistryTests {
  @Test func eachIDHasOnePage() {
    let pages = Registry.pages
    #expect(Set(pages.map(\.id)).count == pages.count)
    for diagnosis in Registry.all {
      #expect(pages.count { $0.id == diagnosis.page.id && $0.title == diagnosis.page.title } == 1)
    }
    for page in pages {
      #expect(page.id.rawValue.allSatisfy { $0.isLowercase || $0 == "-" }, "\(page.id)")
      for text in [page.title, page.meaning, page.certainty, page.conclusion, page.advice] {
        #expect(text.count > 10, "\(page.id)")
      }
    }
  }

  /// The last cause is the one that always speaks: behind it, none would be heard.
  @Test func theLastCauseIsNone() {
    #expect(Registry.causes.last is LostAfter.Type)
  }

  /// What is asked of the kernel about a lost probe: who asks for more makes every lost probe wait.
  @Test func needs() {
    let settings = Registry.needs.compactMap { need -> String? in
      switch need {
      case .setting(let setting): setting.path
      case .interfaceSetting(let setting): setting.path(of: "*", version: setting.versions[0])
      default: nil
      }
    }
    #expect(
      settings.sorted() == [
        "net/bridge/bridge-nf-call-ip6tables", "net/bridge/bridge-nf-call-iptables",
        "net/ipv4/conf/*/accept_local", "net/ipv4/conf/*/arp_filter",
        "net/ipv4/conf/*/arp_ignore",
        "net/ipv4/conf/*/bc_forwarding", "net/ipv4/conf/*/drop_unicast_in_l2_multicast",
        "net/ipv4/conf/*/forwarding",
        "net/ipv4/conf/*/proxy_arp", "net/ipv4/conf/*/route_localnet",
        "net/ipv4/conf/*/rp_filter", "net/ipv4/conf/*/src_valid_mark",
        "net/ipv4/fwmark_reflect", "net/ipv4/icmp_echo_ignore_all",
        "net/ipv4/icmp_echo_ignore_broadcasts",
        "net/ipv4/ip_forward", "net/ipv4/tcp_fwmark_accept", "net/ipv4/tcp_syncookies",
        "net/ipv6/conf/*/disable_ipv6",
        "net/ipv6/conf/*/proxy_ndp",
        "net/ipv6/conf/all/forwarding", "net/ipv6/fwmark_reflect",
        "net/ipv6/icmp/echo_ignore_all", "net/ipv6/icmp/echo_ignore_multicast",
        "net/netfilter/nf_conntrack_checksum", "net/netfilter/nf_conntrack_count",
        "net/netfilter/nf_conntrack_icmp_timeout", "net/netfilter/nf_conntrack_icmpv6_timeout",
        "net/netfilter/nf_conntrack_max", "net/netfilter/nf_conntrack_tcp_loose",
        "net/netfilter/nf_conntrack_tcp_timeout_syn_sent",
        "net/netfilter/nf_conntrack_udp_timeout",
      ])
    let others: [Need] = [
      .plainRoute, .wayBack, .routes, .neighbours, .ingressRules, .policyChain, .ruleBeforePolicy,
    ]
    #expect(Registry.needs.isSuperset(of: others))
    // What nobody needs is asked for nobody.
    #expect(Registry.needs.isSuperset(of: HostNeed.allCases.map { .host($0) }))
  }

  #if DEBUG
    /// A diagnosis that looks at what it did not ask for is found by whatever test comes by.
    @Test func whatIsNotNeededIsNotTold() async {
      await #expect(processExitsWith: .failure) {
        _ = Answers(Shared(Snapshot()), to: [.wayBack]).value(of: .forwarding4)
      }
      await #expect(processExitsWith: .success) {
        _ = Answers(Shared(Snapshot()), to: [.setting(.forwarding4)]).value(of: .forwarding4)
      }
    }
  #endif

  /// Every cause looks at the packets of every recorded session, also at those that another one
  /// explains: none asks for what it does not need, and only the last speaks of all.
  @Test func everyCauseSeesEverySession() throws {
    var spoke: Set<FindingID> = []
    for name in Fixtures.sessions {
      for var lost in try packets(name) {
        for cause in Registry.causes {
          lost.show(to: cause)
          guard let finding = cause.examine(lost) else { continue }
          #expect(finding.id == cause.page.id)
          spoke.insert(finding.id)
        }
        for note in Registry.lossNotes {
          lost.show(to: note)
          _ = note.examine(lost)
        }
        for note in Registry.exchangeNotes {
          let answers = Answers(Shared(lost.snapshot), to: note.needs)
          if let finding = note.examine(lost.exchange, { answers }) {
            #expect(finding.id == note.page.id)
          }
        }
      }
    }
    #expect(Set(Registry.causes.map { $0.page.id }).subtracting(spoke) == [])
  }

  /// All packets of a session, each as if it had been lost.
  private func packets(_ name: String) throws -> [LostPacket] {
    var decoder = SessionDecoder()
    decoder.feed(try Fixtures.octets(name))
    var header: SessionHeader?
    var ping: PingStory?
    var traffic: Story?
    var found: [LostPacket] = []
    func take(_ exchange: Exchange, _ story: Story?, refused: Int32? = nil) {
      guard let snapshot = story?.snapshot else { return }
      found += exchange.journeys.compactMap {
        var lost = LostPacket(
          $0, of: exchange, error: nil, refused: refused, session: header.map { Shared($0) },
          known: Shared(snapshot))
        lost.witness = ping?.witnesses.first ?? nil
        return lost
      }
    }
    while let element = try decoder.next() {
      switch element {
      case .header(let next):
        header = next
        ping = next.flatMap { PingStory(header: $0) }
        traffic = ping == nil ? Story(header: next, after: traffic) : nil
      case .record(let record):
        for result in ping?.replay(record) ?? [] {
          take(result.exchange, ping?.story, refused: result.errno)
        }
        traffic?.take(record)
      }
    }
    for result in ping?.finishReplay() ?? [] {
      take(result.exchange, ping?.story, refused: result.errno)
    }
    for exchange in traffic?.finish() ?? [] { take(exchange, traffic) }
    return found
  }
}
