import Testing

extension LiveTests {
  /// Probes of TCP and UDP, as people send them.
  struct ProtocolTests {
    private static let masquerading = "iptables -t nat -A POSTROUTING -o $UPLINK -j MASQUERADE"
    private static let masquerading6 = "ip6tables -t nat -A POSTROUTING -o $UPLINK -j MASQUERADE"

    static let plans = [
      RouterPlan().with(masquerading), RouterPlan.other.with(masquerading),
      RouterPlan.ipv6.with(masquerading6),
    ]

    /// Listens in the server until the script is through.
    private static func listening(_ script: String) -> String {
      """
      ip netns exec $S python3 -c '
      import select, socket, sys
      family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
      tcp = socket.socket(family, socket.SOCK_STREAM)
      tcp.bind((sys.argv[1], 80)); tcp.listen(8)
      udp = socket.socket(family, socket.SOCK_DGRAM)
      udp.bind((sys.argv[1], 53))
      print("ready", flush=True)
      while True:
        for ready in select.select([tcp, udp], [], [])[0]:
          if ready is tcp: tcp.accept()[0].close()
          else: udp.sendto(b"answer", udp.recvfrom(4096)[1])
      ' $SERVER >$DIR/listener.$R & listener=$!
      trap 'kill $listener; rm $DIR/listener.$R' EXIT
      while ! [ -s $DIR/listener.$R ]; do sleep 0.02; done
      \(script)
      """
    }

    @Test(arguments: plans)
    func listenersAnswer(plan: RouterPlan) async throws {
      let net = try await RouterNet(plan)
      let before = try await net.state()
      let output = try await net.run(
        Self.listening(
          """
          "$NFTRACE" ping --netns $R --tun "$TUN" -p tcp --dport 80 $SERVER
          "$NFTRACE" ping --netns $R --tun "$TUN" -p udp --dport 53 -c 3 -i 0.05 $SERVER
          "$NFTRACE" ping --netns $R --tun "$TUN" -p udp --dport 53 --sport 4000 -c 3 -i 0.05 $SERVER
          ip netns exec $S ss -Hant state syn-recv
          """))
      #expect(output.contains("TCP SYN-ACK"))
      #expect(output.contains("1 packet transmitted, 1 received"))
      #expect(output.ranges(of: "3 packets transmitted, 3 received").count == 2)
      // Nothing half-open is left at the far end.
      #expect(!output.contains("SYN-RECV") && !output.hasSuffix(":80\n"))
      try await net.expectState(before, "after probes of TCP and UDP")
    }

    /// Answers SCTP's INIT to port 80 with INIT-ACK and to others with ABORT, and takes GRE without a word,
    /// in the server until the script is through: kernels without SCTP have no other way.
    private static func answeringSCTP(_ script: String) -> String {
      """
      ip netns exec $S python3 -c '
      import select, socket, struct, sys
      family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
      def crc32c(octets):
        value = 0xffffffff
        for octet in octets:
          value ^= octet
          for _ in range(8): value = value >> 1 ^ (0x82f63b78 if value & 1 else 0)
        return value ^ 0xffffffff
      sctp = socket.socket(family, socket.SOCK_RAW, 132); sctp.bind((sys.argv[1], 0))
      gre = socket.socket(family, socket.SOCK_RAW, 47)
      print("ready", flush=True)
      while True:
        for ready in select.select([sctp, gre], [], [])[0]:
          data, sender = ready.recvfrom(4096)
          if ready is gre: continue
          if family == socket.AF_INET: data = data[20:]
          source, destination, _, _, kind = struct.unpack(">HHIIB", data[:13])
          tag = struct.unpack(">I", data[16:20])[0]
          if kind != 1: continue
          chunk = (struct.pack(">BBHIIHHI", 2, 0, 20, 77, 65536, 1, 1, 77) if destination == 80
            else struct.pack(">BBH", 6, 0, 4))
          head = struct.pack(">HHI", destination, source, tag)
          sum = struct.pack("<I", crc32c(head + bytes(4) + chunk))
          ready.sendto(head + sum + chunk, (sender[0], 0))
      ' $SERVER >$DIR/sctp.$R & listener=$!
      trap 'kill $listener; rm $DIR/sctp.$R' EXIT
      while ! [ -s $DIR/sctp.$R ]; do sleep 0.02; done
      \(script)
      """
    }

    @Test(arguments: plans)
    func initiationsAreAnswered(plan: RouterPlan) async throws {
      let net = try await RouterNet(plan)
      let output = try await net.run(
        Self.answeringSCTP(
          """
          "$NFTRACE" ping --netns $R --tun "$TUN" -p sctp --dport 80 -c 3 -i 0.05 $SERVER
          "$NFTRACE" ping --netns $R --tun "$TUN" -p sctp --dport 81 $SERVER || echo "code $?"
          "$NFTRACE" ping --netns $R --tun "$TUN" -p gre -W 0.3 $SERVER && echo "sent, code $?"
          """))
      #expect(output.contains("3 packets transmitted, 3 received"))
      #expect(output.contains("SCTP INIT-ACK"))
      #expect(output.contains("refused: SCTP ABORT"))
      #expect(output.contains("code 1"))
      #expect(output.contains("nothing answers such a packet as a rule"))
      #expect(output.contains("1 packet transmitted, 1 not expected to be answered"))
      #expect(output.contains("sent, code 0"))
    }

    @Test(arguments: plans)
    func nobodyListens(plan: RouterPlan) async throws {
      let net = try await RouterNet(plan)
      for words in [["-p", "udp"], ["-p", "tcp", "--dport", "81"]] {
        for (destination, who) in [
          (plan.server, "\(plan.server) refused it, not this host"),
          (plan.router, "this host refused it"),
        ] {
          let outcome = try await net.ping(words + ["--json"], to: destination)
          #expect(outcome.code == 1)
          let report = try RunReport(outcome)
          #expect(report.probes?.map(\.outcome) == ["rejected"])
          #expect(outcome.output.contains("no-listener"))
          #expect(outcome.output.contains(who), "\(outcome)")
          #expect(report.probes?[0].journeys.first?.direction == "request")
          #expect(report.probes?[0].journeys.count == 2)
        }
      }
    }

    @Test func sizeAndFlagsAreAsAskedFor() async throws {
      let net = try await RouterNet(RouterPlan().with(Self.masquerading))
      let outcome = try await net.ping(
        [
          "--json", "-p", "udp", "--dport", "7", "--sport", "4321", "--size", "100", "-t", "9",
        ])
      let packet = try #require(try RunReport(outcome).probes?[0].journeys[0].packet)
      #expect(packet.length == 128)
      #expect(packet.ttl == 9)
      #expect(outcome.output.contains("\"source_port\": 4321"))
      #expect(outcome.output.contains("\"destination_port\": 7"))
    }

    /// An answer that dies before NAT has restored its address is an answer all the same.
    @Test(arguments: [["-p", "udp", "--dport", "53"], ["-p", "tcp", "--dport", "80"]])
    func answersThatDieEarlyAreFound(words: [String]) async throws {
      let net = try await RouterNet(
        RouterPlan().with(
          Self.masquerading
            + "\niptables -t raw -A PREROUTING -i $UPLINK -s $SERVER ! -p icmp -j DROP"))
      let output = try await net.run(
        Self.listening(
          """
          ! "$NFTRACE" ping --netns $R --tun "$TUN" \(words.joined(separator: " ")) -W 0.3 $SERVER
          ip netns exec $S ss -Hant state syn-recv
          """))
      #expect(output.contains("its answer was dropped in raw PREROUTING"), "\(output)")
      #expect(!output.hasSuffix(":80\n"))
    }

    /// What is replayed is what was seen.
    @Test(arguments: plans)
    func replayIsTheSame(plan: RouterPlan) async throws {
      let net = try await RouterNet(plan)
      let file = "\(Programs.directory)/protocol-\(UInt32.random(in: 0 ... .max)).pcapng"
      let output = try await net.run(
        Self.listening(
          """
          for words in "-p tcp --dport 80" "-p tcp --dport 81" "-p udp --dport 53" "-p udp"; do
            "$NFTRACE" ping --netns $R --tun "$TUN" $words -w \(file) $SERVER >\(file).live || true
            "$NFTRACE" show \(file) >\(file).replayed
            diff \(file).live \(file).replayed
            echo same
          done
          rm \(file)*
          """))
      #expect(output == "same\nsame\nsame\nsame\n")
    }
  }
}
