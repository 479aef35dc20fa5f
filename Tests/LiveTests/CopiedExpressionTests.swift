import FoundationEssentials
import Testing

extension LiveTests {
  /// What nf_tables and routes are made of, in a copy: what the kernel lists is what it is given.
  @Suite(.timeLimit(.minutes(4)))
  struct CopiedExpressionTests {
    /// Has a listing of the original and of a copy the same, and the copy no differences.
    private func expectTheSame(
      _ net: RouterNet, _ listing: String, differences: String? = nil
    ) async throws -> String {
      let original = try await net.inRouter(listing)
      let told = try await net.inRouter(
        """
        "$NFTRACE" ping --with "( \(listing) ) >$DIR/copied" $SERVER || true
        """)
      let copied = try await net.inRouter("cat $DIR/copied")
      if let differences {
        #expect(told.contains(differences), "\(told)")
      } else {
        // What a copy can never have is said of rules that ask for it.
        let never = ["limits begin anew", "of which kind an interface is"]
        let differs = told.split(separator: "\n").filter { line in
          line.hasPrefix("differs ") && !never.contains { line.contains($0) }
        }
        #expect(differs.isEmpty, "\(told)")
        let (here, there) = (
          Set(original.split(separator: "\n")), Set(copied.split(separator: "\n"))
        )
        #expect(here.subtracting(there).sorted() == [], "missing in the copy")
        #expect(there.subtracting(here).sorted() == [], "in the copy alone")
      }
      return copied
    }

    /// Every expression that nft can write, as far as this machine's kernel and its nft have it.
    @Test func everyExpression() async throws {
      let net = try await RouterNet()
      try await net.inRouter("nft -f - <<'N'\n\(Self.filled(Self.base))\nN\n")
      let script = Self.filled(Self.rules).split(separator: "\n").map {
        "nft add rule '\($0)' 2>/dev/null && echo taken || true"
      }.joined(separator: "\n")
      let taken = try await net.inRouter(script).split(separator: "\n").count
      #expect(taken > 150)
      _ = try await expectTheSame(net, "nft -a list ruleset")
    }

    /// What ebtables asks of frames, some of it by its own matches.
    @Test func rulesOfEbtables() async throws {
      let net = try await RouterNet()
      let rules = [
        "FORWARD -p IPv4 --ip-proto icmp -j DROP", "FORWARD -p ARP --arp-op Request -j ACCEPT",
        "FORWARD -p IPv4 --ip-src 10.1.0.0/16 --ip-proto tcp --ip-dport 80 -j DROP",
        "FORWARD -p IPv6 --ip6-proto tcp --ip6-dport 80 -j DROP", "FORWARD -p LLDP -j DROP",
        "INPUT -s 02:00:00:00:00:01 --pkttype-type multicast -j DROP",
      ]
      try await net.inRouter(rules.map { "ebtables -A \($0)" }.joined(separator: "\n"))
      let copied = try await expectTheSame(net, "ebtables -L")
      for rule in rules {
        #expect(copied.contains(rule.split(separator: " ").dropFirst().joined(separator: " ")))
      }
    }

    /// Next hops of each kind, alone and in groups.
    @Test func everyNextHop() async throws {
      let net = try await RouterNet()
      try await net.inRouter(
        """
        ip nexthop add id 6 via 172.16.16.1 dev $UPLINK
        ip nexthop add id 7 via 172.16.16.3 dev $UPLINK onlink proto static
        ip nexthop add id 5 group 6; ip nexthop add id 9 group 6,3/7,2
        ip nexthop add id 10 group 6/7 type resilient buckets 32 idle_timer 30
        ip nexthop add id 4 blackhole; ip nexthop add id 12 dev $UPLINK
        ip -6 nexthop add id 14 via fe80::1 dev $UPLINK; ip nexthop add id 15 group 14
        for id in 5 9 10; do ip route add 10.$id.0.0/16 nhid $id; done
        """)
      let copied = try await expectTheSame(net, "ip nexthop; ip route | grep nhid")
      #expect(copied.contains("id 10 group 6/7 type resilient"), "\(copied)")
    }

    /// What is refused takes nothing with it, however much it is, and wherever a jump leads.
    @Test func whatIsRefusedIsAlone() async throws {
      let net = try await RouterNet()
      try await net.inRouter(
        """
        iptables -N v; iptables -N u
        iptables -A v -j RATEEST --rateest-name a --rateest-interval 250ms --rateest-ewmalog 500ms
        iptables -A u -m rateest --rateest a --rateest-gt --rateest-bps 100 -j DROP
        iptables -A u -s 10.1.2.3 -j DROP; iptables -A FORWARD -j u
        (echo '*filter'
         for i in $(seq 1500); do echo "-A u -m rateest --rateest a --rateest-gt --rateest-bps 10$i -j DROP"; done
         echo COMMIT) | iptables-restore -n
        iptables -D v 1; iptables -A u -s 10.1.2.4 -j DROP
        """)
      let copied = try await expectTheSame(
        net, "iptables-save",
        differences: "of chain u is missing (No such file or directory)")
      for rule in ["-A FORWARD -j u", "-A u -s 10.1.2.3/32 -j DROP", "-A u -s 10.1.2.4/32 -j DROP"]
      {
        #expect(copied.contains(rule), "\(copied.prefix(2000))")
      }
    }

    private static func filled(_ text: String) -> String {
      text.replacing("$UPLINK", with: RouterPlan().uplink)
    }

    private static let base = """
      table inet t {
        counter cn { packets 4 bytes 5 }
        quota qn { over 25 mbytes used 4 kbytes }
        limit ln { rate 5/second burst 7 packets }
        limit lb { rate over 5 mbytes/second burst 7 kbytes }
        synproxy sp {
          mss 1460
          wscale 7
          timestamp sack-perm
        }
        ct helper hp { type "ftp" protocol tcp; l3proto ip; }
        ct timeout to { protocol tcp; l3proto ip; policy = { established: 100, close: 4 }; }
        ct expectation ex { protocol udp; dport 9876; timeout 2m; size 12; l3proto ip; }
        set dy { type ipv4_addr; flags dynamic; }
        set dy2 { type ipv4_addr; size 10; flags dynamic; }
        set dy3 { type ipv4_addr; flags dynamic,timeout; timeout 1h; }
        set dy4 { type ipv4_addr . inet_service; flags dynamic; size 10; }
        set dyc { type ipv4_addr; flags dynamic; counter; size 10; elements = { 1.2.3.4 } }
        set sz { type ipv4_addr; size 10; }
        set st { type ipv4_addr; timeout 1h; gc-interval 5m; policy memory; comment "x"; }
        set iv { type ipv4_addr; flags interval; auto-merge; elements = { 1.2.3.0/24, 5.0.0.0-6.0.0.1 } }
        set tt { typeof ip saddr . tcp dport . meta mark; elements = { 1.2.3.4 . 5 . 6 } }
        map dym { type ipv4_addr : mark; flags dynamic; size 5; }
        map vm { type ipv4_addr : verdict; elements = { 1.2.3.4 : drop } }
        map im { type ipv4_addr : ipv4_addr; flags interval; elements = { 1.2.3.0/24 : 5.6.7.8 } }
        chain u { }
        chain f { type filter hook forward priority 0; policy accept; }
        chain pre { type filter hook prerouting priority mangle; }
        chain dn { type nat hook prerouting priority dstnat; }
        chain sn { type nat hook postrouting priority srcnat; }
      }
      table ip x { chain f { type filter hook prerouting priority 0; }; }
      table ip6 y { chain f { type filter hook prerouting priority 0; }; }
      table netdev n { chain i { type filter hook ingress device "$UPLINK" priority 0; }
       chain e { type filter hook egress device "$UPLINK" priority 0; }; }
      table bridge b { chain f { type filter hook prerouting priority 0; }; }
      table arp a { chain i { type filter hook input priority 0; }; }
      """

    private static let rules = #"""
      inet t f tcp dport 7 jump { tcp sport 8 drop; counter accept; }
      inet t f meta mark 5 goto { ip saddr 1.2.3.4 jump { accept; }; drop; }
      inet t f tcp option maxseg size set 1300 accept
      inet t f tcp option maxseg size set rt mtu
      inet t f tcp option maxseg exists
      inet t f tcp option timestamp missing
      inet t f tcp option maxseg size 100-200
      inet t f tcp option sack0 left 5
      inet t f tcp option 42 exists
      inet t f reset tcp option sack-perm
      inet t f exthdr frag exists
      inet t f ip option rr exists
      inet t f ip option lsrr ptr 5
      inet t f sctp chunk data exists
      inet t f sctp chunk init num-outbound-streams 5
      inet t f ip6 dscp set cs1
      inet t f ip dscp set 4
      inet t f ip ttl set 5
      inet t f ip daddr set 1.2.3.4
      inet t f tcp dport set 99
      inet t f udp checksum set 0
      inet t f ip ecn set ce
      inet t f ip6 hoplimit set 4
      inet t f ip6 flowlabel set 5
      inet t f meta mark set 5
      inet t f meta mark set meta mark and 0xff or 0x100
      inet t f meta mark set ct mark
      inet t f meta mark set meta mark << 4
      inet t f meta mark set meta mark >> 4
      inet t f meta priority set 1:2
      inet t f meta nftrace set 1
      inet t f ct mark set meta mark
      inet t f ct mark set numgen inc mod 4
      inet t f ct mark set numgen random mod 4 offset 5
      inet t f ct label set 5
      inet t f ct event set new,destroy
      inet t f ct zone 5
      inet t f ct mark set jhash ip saddr mod 10 seed 0x5 offset 4
      inet t f ct mark set symhash mod 2
      inet t f ct mark set jhash ip saddr . tcp dport mod 10
      inet t f fib daddr type local
      inet t f fib daddr . iif type { local, unicast }
      inet t f fib saddr . mark oifname "lo"
      inet t f osf name "Linux"
      inet t f osf ttl skip version "Linux:3.0"
      inet t f rt classid 5
      inet t f rt ipsec exists
      inet t f ipsec in reqid 5
      inet t f ipsec out ip saddr 1.2.3.4
      inet t f meta ipsec exists
      inet t f counter name "cn"
      inet t f quota name "qn"
      inet t f limit name "ln"
      inet t f quota over 5 mbytes used 2 kbytes
      inet t f quota until 5 mbytes
      inet t f limit rate over 5/minute burst 3 packets
      inet t f limit rate 5 mbytes/second burst 10 kbytes
      inet t f limit rate 1/week
      inet t f ct count over 5
      inet t f ct count 5
      inet t f counter name tcp dport map { 80 : "cn" }
      inet t f notrack
      inet t f synproxy mss 1460 wscale 7 timestamp sack-perm
      inet t f synproxy name "sp"
      inet t f log prefix "a b" level debug flags all
      inet t f log group 5 snaplen 100 queue-threshold 4 prefix "x"
      inet t f log level audit
      inet t f log flags tcp sequence,options flags ip options flags skuid flags ether
      inet t f reject
      inet t f reject with tcp reset
      inet t f reject with icmpx type admin-prohibited
      inet t f ip protocol 6 reject with icmp type host-unreachable
      inet t f meta l4proto 6 reject with icmpv6 type addr-unreachable
      inet t f ct state new,established
      inet t f ct status dnat
      inet t f ct direction reply
      inet t f ct expiration 5m
      inet t f ct helper "ftp"
      inet t f ct original ip saddr 1.2.3.4
      inet t f ct original packets > 5
      inet t f ct bytes > 100
      inet t f ct avgpkt > 5
      inet t f ct l3proto ipv4
      inet t f ct id 5
      inet t f meta time "2022-01-01 00:00"
      inet t f meta hour "10:00"-"12:00"
      inet t f meta day "Sunday"
      inet t f meta length > 5
      inet t f meta skuid 5
      inet t f meta cgroup 5
      inet t f meta cpu 1
      inet t f meta iifkind "veth"
      inet t f meta sdifname "x"
      inet t f meta iifgroup 5
      inet t f tcp flags syn / syn,ack,fin
      inet t f tcp flags & (syn|ack) == syn
      inet t f tcp dport != { 1-5, 8 }
      inet t f ip saddr 10.0.0.0/8
      inet t f ip saddr 1.2.3.4-1.2.3.9
      inet t f ip saddr != 1.2.3.4-1.2.3.9
      inet t f ip saddr & 0.0.0.255 == 5
      inet t f meta mark > 5
      inet t f meta mark 5-9
      inet t f ct mark & 0xff > 5
      inet t f @th,16,16 5
      inet t f @nh,0,3 5
      inet t f @ll,0,8 set 5
      inet t f @th,0,16 set 5
      inet t f @ih,0,8 5
      inet t f ip saddr . tcp dport vmap { 1.2.3.4 . 5 : accept }
      inet t f meta mark set tcp dport map { 5 : 6, 7-9 : 10 }
      inet t f goto u
      inet t f return
      inet t pre ct helper set "hp"
      inet t pre ct timeout set "to"
      inet t pre ct expectation set "ex"
      inet t pre ct zone set 5
      inet t pre ct original zone set 5
      inet t pre socket transparent 1
      inet t pre socket mark 5
      inet t pre socket wildcard 1
      inet t pre meta l4proto tcp tproxy ip to 127.0.0.1:50
      inet t pre meta l4proto udp tproxy ip to :51
      inet t pre meta l4proto tcp tproxy ip6 to [::1]:50
      inet t pre meta l4proto tcp tproxy to :5000 accept
      inet t pre meta secmark set ct secmark
      inet t pre ct secmark set meta secmark
      inet t pre meta secpath exists
      inet t pre fib daddr . mark type local
      inet t dn dnat ip to 1.2.3.4
      inet t dn meta l4proto tcp dnat ip to 1.2.3.4:80
      inet t dn meta l4proto tcp dnat ip to 1.2.3.4-1.2.3.9:80-90 random,persistent
      inet t dn meta l4proto tcp dnat ip6 to [fe80::1]:80 fully-random
      inet t dn meta l4proto tcp redirect to :80
      inet t dn meta l4proto tcp redirect to :80-90 random
      inet t dn redirect
      inet t dn dnat ip to ip saddr map { 1.2.3.4 : 5.6.7.8 }
      inet t dn dnat ip to tcp dport map { 80 : 5.6.7.8 . 90 }
      inet t dn dnat ip to numgen inc mod 2 map { 0 : 1.1.1.1, 1 : 2.2.2.2 }
      inet t dn dnat ip prefix to ip daddr map { 10.0.0.0/24 : 10.1.0.0/24 }
      inet t dn meta l4proto tcp dnat to :99
      inet t sn masquerade
      inet t sn meta l4proto tcp masquerade to :80-90 random,persistent
      inet t sn masquerade fully-random
      inet t sn snat ip to 1.2.3.4-1.2.3.9 persistent
      inet t sn snat ip prefix to 10.0.0.0/24
      inet t sn snat ip6 prefix to fd00::/64
      ip x f dup to 1.2.3.4 device "$UPLINK"
      ip x f dup to ip saddr map { 1.2.3.4 : 5.6.7.8 }
      ip x f ip daddr set ip saddr
      ip x f reject with icmp type prot-unreachable
      netdev n i fwd to "lo"
      netdev n i dup to "lo"
      netdev n i fwd ip to 1.2.3.4 device "lo"
      netdev n i ether saddr set 02:00:00:00:00:01
      netdev n i vlan id 5
      netdev n i vlan id set 7
      netdev n i ip saddr . tcp dport { 1.2.3.4 . 5 } accept
      netdev n i meta nftrace set 1
      netdev n i reject
      bridge b f vlan id 5 vlan pcp 4
      bridge b f ether daddr set 02:00:00:00:00:01
      inet t f ip6 nexthdr 6 rt ip6 nexthop fe80::1
      inet t f rt ip nexthop 10.0.0.1
      inet t f frag more-fragments 1
      inet t f hbh hdrlength 5
      inet t f dst nexthdr 5
      inet t f rt0 addr[1] fe80::1
      inet t f srh flags 5
      inet t f mh type 1
      inet t f tcp dport vmap { 6 : goto u, 7 : drop, 8 : continue, 9 : return }
      inet t f tcp dport vmap { 5 : drop } tcp sport 4
      inet t f fib saddr . iif oif missing drop
      inet t f fib saddr oifname lo
      inet t f fib saddr . mark . iif oif lo
      inet t f numgen random mod 4 < 2
      inet t f ct mark set ct mark and 0xff or 0x100
      inet t f tcp option window count 5
      inet t f tcp option timestamp tsval 5
      inet t f tcp option mptcp subtype 1
      inet t f dccp type request
      inet t f meta mark set jhash ip saddr mod 5 map { 1 : 2 }
      inet t f ip saddr 1.2.3.4 counter packets 5 bytes 6 accept comment "x"
      inet t f ip6 saddr fe80::/10 ip6 daddr ::1-::5
      inet t f ether saddr 02:00:00:00:00:01
      inet t f iif lo oif "$UPLINK"
      inet t f iifname "a*"
      inet t f ip length 20-30 ip protocol { tcp, udp } th dport 5
      inet t f icmp type { echo-request, 3 } icmp code 1
      inet t f icmpv6 type nd-router-advert
      inet t f igmp type membership-query
      inet t f esp spi 5
      inet t f ah spi 5
      inet t f comp cpi 5
      inet t f udplite dport 5
      inet t f meta mark & 0x7 == 3 ct state invalid drop
      inet t f ip saddr . ip daddr { 10.0.0.0/8 . 10.0.0.1-10.0.0.9 } drop
      inet t f update @dy { ip saddr counter }
      inet t f add @dy2 { ip saddr limit rate 5/second burst 5 packets }
      inet t f add @dy3 { ip saddr timeout 5m }
      inet t f delete @dy3 { ip saddr }
      inet t f add @dy4 { ip saddr . tcp dport ct count over 4 }
      inet t f add @dym { ip saddr : 5 }
      inet t f ip saddr vmap @vm
      inet t f meter mm { ip saddr limit rate 5/second }
      inet t f meter mn size 100 { ip saddr . tcp dport ct count over 5 } drop
      inet t pre meta mark set socket mark
      inet t dn dnat ip to ip saddr . tcp dport map { 1.2.3.4 . 80 : 5.6.7.8 . 90 }
      inet t dn meta l4proto tcp dnat ip to 1.2.3.4:80-90 random,persistent
      inet t dn meta l4proto tcp dnat ip to ip daddr . tcp dport map { 1.2.3.4 . 80-90 : 5.6.7.8 . 90-95 }
      inet t dn dnat ip to jhash ip saddr mod 2 map { 0 : 1.1.1.1, 1 : 2.2.2.2 }
      ip x f dup to 1.2.3.4
      ip6 y f dup to fe80::1 device "$UPLINK"
      ip6 y f reject with icmpv6 type policy-fail
      ip6 y f ip6 daddr set fe80::1
      ip6 y f exthdr hbh missing
      ip6 y f ip6 flowlabel set 5
      netdev n i tcp dport 5 reject with tcp reset
      netdev n i ether type ip limit rate over 5/second drop
      netdev n i fwd ip to 1.2.3.4 device "lo"
      netdev n i ip daddr set 1.2.3.4
      netdev n i vlan pcp 3 vlan dei 1
      netdev n i fib daddr type local
      netdev n i meta mark set 5
      netdev n i ip dscp set cs1 log prefix "y"
      netdev n e meta priority set 1:1
      inet t f queue num 5
      bridge b f reject with icmpx type admin-prohibited
      bridge b f meta ibrname "x"
      """#
  }
}
