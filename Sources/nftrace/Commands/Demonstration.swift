import App
import ArgumentParser
import Glibc
import Report

/// What 'nftrace lab' shows to somebody who sees it for the first time.
enum Demonstration {
  static func run() throws -> Int32 {
    let style = Output.style(color: .auto, verbosity: .normal)
    let line = style.unicode ? "──" : "--"
    try Output.show(
      """
      A router and a server, each in a network namespace made for this:

        client            router                            server
        192.168.69.1 \(line) tun0   eth0 172.16.16.15 \(line) 172.16.16.1, 119.29.29.29

      The router forwards, and masquerades what comes from 192.168.69.0/24. nftrace
      plays the client: it puts a ping into tun0 and watches it go through the router.

      $ nftrace ping -s 192.168.69.1 --tun tun0 119.29.29.29

      """)
    let code = try Ping.parse(["-s", "192.168.69.1", "--tun", "tun0", "119.29.29.29"])
      .send(isAll: false)
    try Output.show(
      """

      How to read it: the request comes in at tun0 and meets the tables of each
      hook from left to right. After PREROUTING its route is chosen, and forwarding
      takes 1 off its TTL. The last table, nat at POSTROUTING, gives it the router's
      own address as source. The answer comes back to that address, and conntrack
      puts the client's in again without asking a rule.

      Go on:
        nftrace lab -- nftrace ping --tun tun0 2001:db8:29::29   the same with IPv6
        nftrace lab -- nftrace ping --tun tun0 172.16.16.15      to the router itself
        nftrace lab bash                                         a shell in the router
        nftrace ping DEST                                        from this machine
      """)
    return code
  }
}
