extension Scenario {
  /// Setups in which nothing is wrong, built in as many ways as people build them. Each has rules
  /// that would be blamed by a careless look.
  static let healthySetups: [Scenario] =
    plainSetups + firewallSetups + routingSetups + linkSetups + translationSetups + localSetups

  // MARK: One way of translating each

  private static let plainSetups: [Scenario] =
    Version.allCases.flatMap { version in
      [
        healthy("nft-\(version)", version, nat: .nft, router: ""),
        healthy("iptables-\(version)", version, nat: .iptables, router: ""),
        healthy("legacy-\(version)", version, nat: .legacy, router: ""),
        // The server knows the way back: no translation is needed, and none is missed.
        healthy(
          "routed-\(version)", version, server: "$IP route add $NET via $UP", router: ""),
        healthy(
          "inet-masquerade-\(version)", version,
          router: """
            nft 'table inet nat { chain post {
              type nat hook postrouting priority srcnat; oifname "up0" masquerade random;
            }; }'
            """),
      ]
    }

  // MARK: Firewalls that let it through

  private static let firewallSetups: [Scenario] =
    Version.allCases.flatMap { version in
      [
        healthy(
          "stateful-nft-\(version)", version, nat: .nft,
          router: """
            nft 'table inet fw {
              set clients { typeof $FAM saddr; flags interval; elements = { $NET }; };
              chain through {
                type filter hook forward priority filter; policy drop;
                ct state vmap { invalid : drop, established : accept, related : accept };
                iifname "tun7" $FAM saddr @clients jump clients;
              };
              chain clients { $FAM daddr $DST2 drop; $FAM daddr $DSTNET accept; };
              chain in {
                type filter hook input priority filter; policy drop;
                ct state established,related accept;
                icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept;
              };
            }'
            """),
        healthy(
          "stateful-iptables-\(version)", version, nat: .iptables,
          router: """
            $IPT -P FORWARD DROP
            $IPT -A FORWARD -m conntrack --ctstate INVALID -j DROP
            $IPT -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
            $IPT -A FORWARD -i tun7 -o up0 -m comment --comment "clients out" -j ACCEPT
            $IPT -A FORWARD -j REJECT
            """),
        healthy(
          "stateful-legacy-\(version)", version, nat: .legacy,
          router: """
            $LEG -P FORWARD DROP
            $LEG -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
            $LEG -A FORWARD -s $NET -j ACCEPT
            $LEG -A FORWARD -j REJECT
            """),
      ]
    } + [
      healthy(
        "docker-v4", nat: .iptables,
        router: """
          ip link add docker0 type bridge
          ip addr add 172.31.0.1/16 dev docker0
          for c in DOCKER DOCKER-USER DOCKER-ISOLATION-STAGE-1 DOCKER-ISOLATION-STAGE-2; do
            iptables-nft -N $c
          done
          iptables-nft -t nat -N DOCKER
          iptables-nft -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
          iptables-nft -t nat -A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
          iptables-nft -t nat -A POSTROUTING -s 172.31.0.0/16 ! -o docker0 -j MASQUERADE
          iptables-nft -t nat -A DOCKER -i docker0 -j RETURN
          iptables-nft -P FORWARD DROP
          iptables-nft -A FORWARD -j DOCKER-USER
          iptables-nft -A FORWARD -j DOCKER-ISOLATION-STAGE-1
          iptables-nft -A FORWARD -o docker0 -j DOCKER
          iptables-nft -A FORWARD -i docker0 -o docker0 -j ACCEPT
          iptables-nft -A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
          iptables-nft -A DOCKER-ISOLATION-STAGE-1 -j RETURN
          iptables-nft -A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
          iptables-nft -A DOCKER-USER -i tun7 -o up0 -j ACCEPT
          iptables-nft -A DOCKER-USER -i up0 -o tun7 -m conntrack --ctstate ESTABLISHED -j ACCEPT
          iptables-nft -A DOCKER-USER -j RETURN
          """),
      healthy(
        "firewalld-v4",
        router: """
          nft 'table inet firewalld {
            chain mangle_PREROUTING {
              type filter hook prerouting priority mangle + 10; jump mangle_PREROUTING_ZONES;
            };
            chain mangle_PREROUTING_ZONES {
              iifname "tun7" goto mangle_PRE_trusted; goto mangle_PRE_public;
            };
            chain mangle_PRE_trusted { };
            chain mangle_PRE_public { };
            chain nat_POSTROUTING {
              type nat hook postrouting priority srcnat + 10; jump nat_POSTROUTING_ZONES;
            };
            chain nat_POSTROUTING_ZONES { oifname "up0" goto nat_POST_public; };
            chain nat_POST_public { meta nfproto ipv4 oifname != "lo" masquerade; };
            chain filter_INPUT {
              type filter hook input priority filter + 10; policy accept;
              ct state { established, related } accept;
              iifname "lo" accept;
              ct state invalid drop;
              reject with icmpx type admin-prohibited;
            };
            chain filter_FORWARD {
              type filter hook forward priority filter + 10; policy accept;
              ct state { established, related } accept;
              ct status dnat accept;
              iifname "lo" accept;
              jump filter_FORWARD_ZONES;
              ct state invalid drop;
              reject with icmpx type admin-prohibited;
            };
            chain filter_FORWARD_ZONES {
              iifname "tun7" goto filter_FWD_trusted; goto filter_FWD_public;
            };
            chain filter_FWD_trusted { accept; };
            chain filter_FWD_public { reject with icmpx type admin-prohibited; };
          }'
          """),
      healthy(
        "ufw-v4", nat: .iptables,
        router: """
          for chain in before after reject track; do iptables-nft -N ufw-$chain-forward; done
          iptables-nft -N ufw-user-forward
          iptables-nft -P FORWARD DROP
          iptables-nft -A FORWARD -j ufw-before-forward
          iptables-nft -A FORWARD -j ufw-after-forward
          iptables-nft -A FORWARD -j ufw-reject-forward
          iptables-nft -A FORWARD -j ufw-track-forward
          iptables-nft -A ufw-before-forward -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
          iptables-nft -A ufw-before-forward -p icmp --icmp-type echo-request -j ACCEPT
          iptables-nft -A ufw-before-forward -j ufw-user-forward
          iptables-nft -A ufw-user-forward -s $FOREIGNNET -j DROP
          """),
      // An earlier chain accepts: that decides nothing for the later ones.
      healthy(
        "chains-in-a-row-v4", nat: .nft,
        router: """
          nft 'table inet one { chain through {
            type filter hook forward priority -10; policy drop; accept;
          }; }'
          nft 'table inet two { chain through {
            type filter hook forward priority 10; policy drop; $FAM saddr $NET accept;
            ct direction reply accept; $FAM daddr $DST reject;
          }; }'
          """),
      healthy(
        "queue-bypass-v4", nat: .iptables,
        router: "iptables-nft -A FORWARD -j NFQUEUE --queue-num 7 --queue-bypass"),
      healthy(
        "notrack-for-others-v4", nat: .nft,
        router: """
          nft 'table ip raw { chain pre {
            type filter hook prerouting priority raw; ip saddr $FOREIGNNET notrack;
          }; }'
          """),
      healthy(
        "many-rules-that-change-nothing-v4", nat: .iptables,
        router: """
          iptables-nft -t mangle -A PREROUTING -j CONNMARK --restore-mark
          iptables-nft -t mangle -A PREROUTING -i tun7 -j MARK --set-mark 0x10
          iptables-nft -t mangle -A POSTROUTING -j CONNMARK --save-mark
          iptables-nft -t mangle -A FORWARD -p tcp --syn -j TCPMSS --clamp-mss-to-pmtu
          iptables-nft -A FORWARD -m limit --limit 5/min -j LOG --log-prefix "fwd: "
          """),
    ]

  // MARK: Routing

  private static let routingSetups: [Scenario] = [
    healthy(
      "rule-from-v4", nat: .nft,
      router: """
        ip route add default via $GW table 77
        ip rule add priority 100 from $NET lookup 77
        ip route replace blackhole default
        """),
    healthy(
      "rule-fwmark-v4", nat: .nft,
      router: """
        nft 'table inet marks { chain marking {
          type filter hook prerouting priority mangle; iifname "tun7" meta mark set 0x77;
        }; }'
        ip route add default via $GW table 77
        ip rule add priority 100 fwmark 0x77 lookup 77
        ip route replace unreachable default
        """),
    healthy(
      "rule-from-v6", .v6, nat: .nft,
      router: """
        ip -6 route add default via $GW dev up0 table 77
        ip -6 rule add priority 100 from $NET lookup 77
        """),
    healthy(
      "traps-for-others-v4", nat: .nft,
      router: """
        ip route add blackhole $FOREIGNNET
        ip route add prohibit $FAR/32
        ip rule add priority 100 from $FOREIGNNET prohibit
        ip rule add priority 101 fwmark 0x99 blackhole
        """),
    healthy(
      "rp-filter-strict-v4", nat: .nft,
      router: "sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.tun7.rp_filter=1"),
    healthy(
      "rpfilter-rules-v6", .v6, nat: .nft,
      router: """
        nft 'table inet rpf { chain back {
          type filter hook prerouting priority raw; fib saddr . iif oif missing drop;
        }; }'
        """),
    // IPv6 asks "all" alone; the interface's own setting is about being a router or a host.
    healthy(
      "interface-forwarding-off-v6", .v6, nat: .nft,
      router: "sysctl -qw net.ipv6.conf.tun7.forwarding=0 net.ipv6.conf.up0.forwarding=0"),
    healthy(
      "force-forwarding-v6", .v6, nat: .nft,
      needs: "[ -e /proc/sys/net/ipv6/conf/all/force_forwarding ]",
      router: """
        sysctl -qw net.ipv6.conf.all.forwarding=0
        sysctl -qw net.ipv6.conf.tun7.force_forwarding=1 net.ipv6.conf.up0.force_forwarding=1
        """),
    healthy("ttl-2-v4", nat: .nft, arguments: ["-t", "2"], router: ""),
    healthy(
      "xfrm-for-others-v4", nat: .nft,
      router: "ip xfrm policy add dir fwd src $FOREIGNNET dst $DST/32 action block"),
  ]

  // MARK: Links

  private static let secondUplink = """
    ip link add up1 type veth peer name up1peer
    ip addr add 10.77.3.2/24 dev up1
    ip link set up1 up
    ip link set up1peer up
    """

  private static let linkSetups: [Scenario] =
    Version.allCases.flatMap { version in
      [
        // The uplink is a port of a bridge that has the address.
        healthy(
          "bridged-uplink-\(version)", version,
          router: """
            ip link add br0 type bridge
            ip addr flush dev up0
            ip link set up0 master br0
            ip link set br0 up
            $IP addr add $UP/$UPLEN dev br0 nodad
            $IP route replace default via $GW
            $IPT -t nat -A POSTROUTING -o br0 -j MASQUERADE
            """),
        healthy(
          "mtu-just-enough-\(version)", version, nat: .nft, server: "ip link set up0 mtu 1280",
          arguments: ["--df", "--size", version == .v4 ? "1252" : "1232"],
          router: "ip link set up0 mtu 1280"),
      ]
    } + [
      healthy(
        "bridge-netfilter-v4",
        needs: "[ -e /proc/sys/net/bridge/bridge-nf-call-iptables ]",
        mayNote: ["nat-once-per-flow", "bridge-netfilter"],
        router: """
          sysctl -qw net.bridge.bridge-nf-call-iptables=1
          ip link add br0 type bridge
          ip addr flush dev up0
          ip link set up0 master br0
          ip link set br0 up
          ip addr add $UP/24 dev br0
          ip route replace default via $GW
          iptables-nft -t nat -A POSTROUTING -o br0 -j MASQUERADE
          """),
      healthy(
        "two-uplinks-v4", nat: .nft,
        router: """
          \(secondUplink)
          ip route add default via 10.77.3.1 metric 100
          """),
      healthy(
        "two-uplinks-loose-v4", nat: .nft,
        router: """
          \(secondUplink)
          ip route add $DSTNET via $GW
          ip route replace default via 10.77.3.1
          sysctl -qw net.ipv4.conf.all.rp_filter=2
          """),
      healthy(
        "macvlan-uplink-v4",
        router: """
          ip link add link up0 name mv0 type macvlan mode bridge
          ip addr flush dev up0
          ip addr add $UP/24 dev mv0
          ip link set mv0 up
          ip route replace default via $GW
          iptables-nft -t nat -A POSTROUTING -o mv0 -j MASQUERADE
          """),
      healthy(
        "shaped-uplink-v4", nat: .nft,
        router: "tc qdisc add dev up0 root tbf rate 10mbit burst 10k limit 10k"),
      healthy(
        "fragmented-v4", nat: .nft, server: "ip link set up0 mtu 1000", notes: ["fragmented"],
        arguments: ["--size", "1200"], router: "ip link set up0 mtu 1000"),
    ]

  // MARK: Translations

  private static let translationSetups: [Scenario] =
    Version.allCases.flatMap { version in
      [
        healthy(
          "snat-nft-\(version)", version,
          router: """
            nft 'table $FAM nat { chain post {
              type nat hook postrouting priority srcnat; $FAM saddr $NET snat to $UP;
            }; }'
            """),
        healthy(
          "dnat-nft-\(version)", version, nat: .nft, destination: "$DNAT",
          router: """
            nft 'table $FAM portal { chain pre {
              type nat hook prerouting priority dstnat; $FAM daddr $DNAT dnat to $DST;
            }; }'
            """),
        healthy(
          "dnat-iptables-\(version)", version, nat: .iptables, destination: "$DNAT",
          router: """
            $IPT -t nat -A PREROUTING -d $DNAT -j DNAT --to-destination $DST
            $IPT -P FORWARD DROP
            $IPT -A FORWARD -m conntrack --ctstate DNAT -j ACCEPT
            """),
        // Another address of the host, on another interface.
        healthy(
          "snat-to-loopback-address-\(version)", version,
          server: "$IP route add $FOREIGN/$LEN via $UP",
          router: """
            $IP addr add $FOREIGN/$LEN dev lo
            $IPT -t nat -A POSTROUTING -s $NET -j SNAT --to-source $FOREIGN
            """),
      ]
    } + [
      healthy(
        "netmap-v4", server: "ip route add $FOREIGNNET via $UP",
        router: """
          iptables-nft -t nat -A POSTROUTING -s $NET -j NETMAP --to $FOREIGNNET
          """),
      healthy(
        "redirect-v4", destination: "$DNAT",
        router: """
          nft 'table ip portal { chain pre {
            type nat hook prerouting priority dstnat; ip daddr $DNAT redirect;
          }; }'
          """),
      // Translated to an address that nobody has here, and that is routed here.
      healthy(
        "snat-to-routed-pool-v4", server: "ip route add $FOREIGNNET via $UP",
        router: """
          nft 'table ip nat { chain post {
            type nat hook postrouting priority srcnat; ip saddr $NET snat to $FOREIGN;
          }; }'
          """),
    ]

  // MARK: To this host

  private static let localSetups: [Scenario] =
    Version.allCases.flatMap { version in
      [
        healthy("local-\(version)", version, nat: .nft, destination: "$TUN", router: ""),
        healthy(
          "local-firewalled-\(version)", version, nat: .iptables, destination: "$UP",
          router: """
            sysctl -qw $FORWARDING=0
            $IPT -P INPUT DROP
            $IPT -P FORWARD DROP
            $IPT -A INPUT -i up0 -j ACCEPT
            $IPT -A INPUT -p $ICMP -s $NET -j ACCEPT
            """),
      ]
    }
}
