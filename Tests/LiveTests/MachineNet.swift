import FoundationEssentials
import Glibc
import Kernel
import Testing

/// A client, two routers and a server: machines of which each has a name, a network namespace, a state directory and an
/// sshd of its own. The first router masquerades what goes to 10.80.9.0/24, the second translates 10.80.9.9 to the server.
/// All goes with this value.
final class MachineNet: Sendable {
  /// What begins the names of the namespaces: behind it stand c, a, b and s.
  let base: String
  /// Where keys, and what is written, are.
  let directory: String

  /// How ssh(1) gets to the routers and the server.
  static let machines = ["root@10.80.1.1", "root@10.80.2.2", "root@10.80.3.10"]
  /// The options that watch a probe on all of them.
  static let via = machines.flatMap { ["--via", $0] }
  /// Where the server is reached.
  static let service = "10.80.9.9"

  /// Whether there is an sshd to run on each.
  static let canBe = FileManager.default.isExecutableFile(atPath: "/usr/sbin/sshd")

  init() async throws {
    let number = UInt16.random(in: 0 ... .max)
    base = "nftrace-test-\(getpid())-\(number)-"
    directory = "\(Programs.directory)/machines-\(number)"
    try await run(
      """
      mkdir -p $D/bin /run/sshd; ln -s $NFTRACE $D/bin/nftrace
      ssh-keygen -q -t ed25519 -N '' -f $D/key; ssh-keygen -q -t ed25519 -N '' -f $D/host
      cat >$D/bin/ssh <<END
      #!/bin/sh
      exec /usr/bin/ssh -F none -i $D/key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR "\\$@"
      END
      chmod 755 $D/bin/ssh
      for n in c a b s; do
        ip netns add $B$n; ip -n $B$n link set lo up
        ip netns exec $B$n sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
      done
      link() {
        ip -n $B$1 link add $2 type veth peer name $4 netns $B$3
        ip -n $B$1 addr add $5/24 dev $2; ip -n $B$3 addr add $6/24 dev $4
        ip -n $B$1 link set $2 up; ip -n $B$3 link set $4 up
      }
      link c eth0 a lan0 10.80.1.10 10.80.1.1
      link a wan0 b west0 10.80.2.1 10.80.2.2
      link b east0 s eth0 10.80.3.1 10.80.3.10
      ip -n ${B}c route add default via 10.80.1.1; ip -n ${B}a route add default via 10.80.2.2
      ip -n ${B}b route add default via 10.80.2.1; ip -n ${B}s route add default via 10.80.3.1
      for n in a b; do ip netns exec $B$n sysctl -qw net.ipv4.ip_forward=1; done
      ip netns exec ${B}a nft 'table ip nat { chain post { type nat hook postrouting priority srcnat;
        oifname wan0 ip daddr 10.80.9.0/24 masquerade comment "a-nat"; }; }'
      ip netns exec ${B}b nft 'table ip nat { chain pre { type nat hook prerouting priority dstnat;
        ip daddr 10.80.9.9 dnat to 10.80.3.10 comment "b-nat"; }; }'
      for n in a b s; do
        printf '%s\\n' "HostKey $D/host" "AuthorizedKeysFile $D/key.pub" "StrictModes no" "UsePAM no" \\
          "PermitRootLogin yes" "PidFile $D/$n.pid" \\
          "SetEnv PATH=$D/bin:/usr/bin:/bin:/usr/sbin:/sbin NFTRACE_STATE_DIR=$D/state-$n" >$D/$n.conf
        ip netns exec $B$n unshare --uts sh -c "hostname $n; exec /usr/sbin/sshd -f $D/$n.conf"
      done
      ip netns exec ${B}c ping -c1 -W2 -n 10.80.9.9 >/dev/null
      """)
  }

  deinit {
    for name in ["a", "b", "s"] {
      guard let text = try? String(contentsOfFile: "\(directory)/\(name).pid", encoding: .utf8),
        let process = pid_t(text.filter(\.isNumber))
      else { continue }
      kill(process, SIGTERM)
    }
    for name in ["c", "a", "b", "s"] { try? NetworkNamespace.remove(named: base + name) }
  }

  var environment: [String: String] {
    [
      "B": base, "D": directory, "PATH": "\(directory)/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      "NFTRACE_STATE_DIR": "\(directory)/state-c",
    ]
  }

  /// Runs a script that must not fail. $B begins the names of namespaces, $D is the directory. Returns what it prints.
  @discardableResult
  func run(_ script: String) async throws -> String {
    let outcome = try await Programs.shell("set -e\n\(script)", environment: environment)
    try #require(outcome.code == 0, "\(script)\n\(outcome)")
    return outcome.output
  }

  /// A ping of the client's, whose name is c.
  func ping(_ words: [String], to destination: String = service) async throws -> Outcome {
    try await Programs.shell(
      "ip netns exec ${B}c unshare --uts sh -c 'hostname c; exec \"$NFTRACE\" ping \"$@\"' x \(words.joined(separator: " ")) "
        + destination, environment: environment)
  }

  /// Has the routers and the server record meanwhile, each into a file of its name.
  func recording(_ body: () async throws -> Void) async throws {
    try await run(
      """
      for n in a b s; do
        NFTRACE_STATE_DIR=$D/state-$n ip netns exec $B$n unshare --uts sh -c "hostname $n
          $NFTRACE setup 10.80.0.0/16 --no-record -q && exec $NFTRACE record $D/$n.pcapng" 2>$D/$n.log &
        echo $! >>$D/recorders
      done
      for n in a b s; do
        for i in $(seq 100); do grep -q recording $D/$n.log && break; sleep 0.1; done
      done
      """)
    try await body()
    try await run(
      """
      sleep 0.5; kill $(cat $D/recorders); sleep 0.5
      for n in a b s; do NFTRACE_STATE_DIR=$D/state-$n ip netns exec $B$n $NFTRACE teardown -q; done
      """)
  }

  /// The same while a script runs.
  func recording(_ script: String) async throws { try await recording { try await run(script) } }

  /// What nftrace has left anywhere.
  func leftovers() async throws -> String {
    try await run(
      """
      for n in c a b s; do ip netns exec $B$n nft list tables | grep nftrace || true; done
      for n in c a b s; do ip netns pids $B$n | xargs -r ps -o args= -p | grep 'nftrace watch' || true; done
      """)
  }
}
