import FoundationEssentials
import Testing

extension LiveTests {
  /// Firewall tests, in a topology and in a copy of a router.
  @Suite(.timeLimit(.minutes(4)))
  struct CheckTests {
    private static let examples: String = {
      let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
      return parts.joined(separator: "/") + "/examples"
    }()

    /// What stands in examples/ comes out as it says: as root, and as a user without any rights.
    @Test(arguments: [
      ("router", "router.nft", 14), ("docker-host", "rules.v4", 7),
      ("kubernetes-node", "rules.v4", 7), ("vpn-server", "vpn.nft", 13),
    ])
    func theExamples(_ name: String, _ ruleset: String, _ count: Int) async throws {
      let outcome = try await Programs.shell(
        """
        cp -r \(Self.examples)/\(name) "$NFTRACE" $DIR/; chmod -R a+rX $DIR; cd $DIR/\(name)
        for rights in '' 'setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs'; do
          $rights ../nftrace check --ruleset \(ruleset) --topology topology.yaml tests.yaml
        done
        """)
      let sum = "\(count) of \(count) tests as expected"
      #expect(outcome.code == 0 && outcome.error.isEmpty, "\(outcome)")
      #expect(outcome.output.components(separatedBy: sum).count == 3, "\(outcome)")
    }

    private static let ruleset = """
      table inet fw {
        set ports {
          type inet_service; elements = { 80,
            443 }
        }
        chain forward {
          type filter hook forward priority 0; policy drop;
          ct state { established,
            related } accept comment "8"
          tcp dport @ports accept comment "10"
          tcp dport 22 reject with tcp reset comment "11"; udp dport 9 drop comment "11"
          udp dport 7 counter accept comment "12"
        }
      }
      """

    private static let topology = """
      topology: {interfaces: {a: [10.1.0.1/24, "fd01::1/64"], b: [10.2.0.1/24, 10.2.0.9/24, "fd02::1/64"]}}

      """

    private func write(_ name: String, _ text: String) throws -> String {
      _ = try? FileManager.default.createDirectory(
        atPath: Programs.directory, withIntermediateDirectories: true)
      let path = "\(Programs.directory)/\(name)"
      try text.write(toFile: path, atomically: true, encoding: .utf8)
      return path
    }

    /// Each thing that a test can expect, met and not met, with the line of the rule that decided.
    @Test(arguments: [("10.1.0.2", "10.2.0.2"), ("fd01::2", "fd02::2")])
    func whatIsNotAsExpected(_ from: String, _ to: String) async throws {
      let end = to.contains(":") ? "[\(to)]:81" : "\(to):81"
      let ruleset = try write("new.nft", Self.ruleset)
      let cases: [(test: String, words: String?, rule: Int?)] = [
        ("tcp/80, expect: accept, by: \"10\", out: b, source: \"\(from)\"", nil, nil),
        ("tcp/80, expect: drop", "expected drop, got accept", 10),
        ("tcp/22, expect: reject tcp-reset, by: \"11\"", nil, nil),
        ("tcp/22, expect: reject port-unreachable", "got reject tcp-reset", 11),
        ("tcp/22, expect: accept", "expected accept, got reject tcp-reset", 11),
        ("udp/9, expect: drop, cause: rule-drop", nil, nil),
        ("udp/9, expect: drop, cause: no-route", "expected cause no-route, got rule-drop", 11),
        ("tcp/99, expect: drop, by: inet fw forward policy", nil, nil),
        ("tcp/99, expect: delivered", "expected delivered, got drop", nil),
        ("udp/7, expect: accept, reply: drop", "expected reply drop, got accept", 12),
        ("udp/7, expect: accept, out: a", "expected out a, got b", 12),
        ("udp/7, expect: accept, mark: 5", "expected mark 5, got 0", 12),
        ("udp/7, expect: accept, dest: \"\(end)\"", "expected dest \(end), got", 12),
        (
          "udp/7, expect: accept, by: nobody",
          "expected by nobody (no rule is called that), got rule 5", 12
        ),
      ]
      let tests = try write(
        "tests.yaml",
        Self.topology + "tests:\n"
          + cases.map {
            "  - {from: a \(from), to: \"\(to) \($0.test.replacing(", expect", with: "\", expect", maxReplacements: 1))}"
          }
          .joined(separator: "\n"))
      let junit = "\(Programs.directory)/junit.xml"
      let words = ["check", "--ruleset", ruleset, tests]
      let text = try await Programs.nftrace(
        words + ["--github", "--junit", junit, "--coverage=90"])
      #expect(text.code == 1, "\(text)")
      let failures = cases.enumerated().filter { $0.element.words != nil }
      for (place, test) in failures {
        #expect(text.output.contains("\(tests):\(place + 3)\n  expected"), "\(place) \(text)")
        #expect(text.output.contains(test.words!), "\(test) \(text)")
        let annotation = text.output.split(separator: "\n").first {
          $0.hasPrefix("::error")
            && ($0.contains("(\(tests):\(place + 3))")
              || $0.contains("file=\(tests),line=\(place + 3),"))
        }
        let file =
          test.rule.map { "file=\(ruleset),line=\($0)," } ?? "file=\(tests),line=\(place + 3),"
        #expect(annotation?.contains(file) == true, "\(test) \(String(describing: annotation))")
      }
      #expect(
        text.output.contains(
          "\(cases.count - failures.count) of \(cases.count) tests as expected, \(failures.count) not; 100%"
        ), "\(text)")
      let xml = try String(contentsOfFile: junit, encoding: .utf8)
      #expect(
        xml.contains("tests=\"\(cases.count)\" failures=\"\(failures.count)\" errors=\"0\""),
        "\(xml)")
      #expect(xml.components(separatedBy: "<failure ").count == failures.count + 1, "\(xml)")
      let tap = try await Programs.nftrace(words + ["--tap"])
      #expect(
        tap.code == 1 && tap.output.hasPrefix("TAP version 13\n1..\(cases.count)\nok 1 - "),
        "\(tap)")
      #expect(tap.output.components(separatedBy: "\nnot ok ").count == failures.count + 1, "\(tap)")
      #expect(tap.output.contains("\n  details: |2\n    \(to) "), "\(tap)")
      let json = try await Programs.nftrace(words + ["--json"])
      #expect(json.output.contains("\"passed\": \(cases.count - failures.count)"), "\(json)")
    }

    /// A router's own rules, and others in their place; the router stays as it is.
    @Test func aRouterIsAsked() async throws {
      let net = try await RouterNet(
        RouterPlan().with(
          "nft 'table ip fw { chain f { type filter hook forward priority 0; tcp dport 80 drop; }; }'"
        ))
      let before = try await net.state()
      let tests = try write(
        "router.yaml",
        """
        tests:
          - {from: \(net.plan.tun), to: \(net.plan.server) tcp/80, expect: drop}
          - {from: \(net.plan.tun), to: \(net.plan.server) tcp/81, expect: accept}
          - {from: nothing0, to: \(net.plan.server) tcp/81, expect: accept}
        """)
      let open = try write("open.nft", "flush ruleset\n")
      func check(_ words: [String]) async throws -> Outcome {
        try await Programs.run(
          ["ip", "netns", "exec", net.router, Programs.nftrace, "check", tests] + words)
      }
      let filter = ["--filter", "\(net.plan.tun)*"]
      let own = try await check(filter)
      #expect(own.code == 0 && own.output.contains("2 of 2 tests as expected"), "\(own)")
      let other = try await check(filter + ["--ruleset", open])
      #expect(other.code == 1 && other.output.contains("expected drop, got accept"), "\(other)")
      let wrong = try await check([])
      #expect(
        wrong.code == 2 && wrong.output.contains("there is no interface")
          && wrong.output.contains("router.yaml:4"), "\(wrong)")
      let live = try await check(filter + ["--live"])
      #expect(live.code == 0, "\(live)")
      try await net.expectState(before, "tests")
    }

    /// What is wrong with a file is said with its line, by who reads it.
    @Test func whatIsWrongWithFiles() async throws {
      let tests = try write(
        "fine.yaml", Self.topology + "tests: [{from: a, to: 10.2.0.2 icmp, expect: accept}]\n")
      let broken = try write(
        "broken.nft", "table inet x {\n  chain y {\n    tcp dprt 5 accept\n  }\n}\n")
      let saved = try write("broken.v4", "*filter\n-A FORWARD --nonsense\nCOMMIT\n")
      let route = try write(
        "route.yaml",
        "topology:\n  interfaces: {a: 10.1.0.1/24}\n  routes:\n    - default via 10.9.9.9\ntests: [{from: a, to: 10.1.0.1 icmp, expect: delivered}]\n"
      )
      for (words, said) in [
        (["--ruleset", broken, tests], "broken.nft:3:"), (["--ruleset", saved, tests], "line: 2"),
        ([route], "line 4"), (["--filter", "none", tests], "no test's name is like 'none'"),
        (["\(tests).not"], "No such file"),
        (["--live", "--topology", tests, tests], "--live asks"),
      ] {
        let outcome = try await Programs.nftrace(["check"] + words)
        #expect(outcome.code == 2 && outcome.error.contains(said), "\(words) \(outcome)")
      }
    }

    /// What two rulesets answer in two ways: verdict, translation, rule; each with its line.
    @Test func twoRulesets() async throws {
      let old = try write(
        "old.nft",
        """
        table ip t {
          set s { type ipv4_addr; elements = { 10.1.0.7 }; }
          chain f { type filter hook forward priority 0; policy drop;
            ct state established accept
            tcp dport 80-90 accept
            ip saddr @s udp dport 53 accept
          }
          chain p { type nat hook postrouting priority srcnat; tcp dport 90 snat to 10.2.0.1
          }
        }
        """)
      let new = try write(
        "newer.nft",
        String(contentsOfFile: old, encoding: .utf8).replacing(
          "80-90", with: "81-91"
        )
        .replacing("10.1.0.7", with: "10.1.0.8")
        .replacing("snat to 10.2.0.1", with: "snat to 10.2.0.9"))
      let tests = try write(
        "both.yaml",
        Self.topology
          + "tests: [{from: a 10.1.0.2, to: \"10.2.0.2 [tcp/80, tcp/81, tcp/90, tcp/91, udp/53]\", expect: drop}]\n"
      )
      let asked = try await Programs.nftrace(["diff", old, new, tests])
      #expect(asked.code == 1, "\(asked)")
      for line in [
        "- a 10.1.0.2 to 10.2.0.2 tcp/80  accept → drop", "rule 2 of chain f (ip t), \(old):5",
        "+ a 10.1.0.2 to 10.2.0.2 tcp/91  drop → accept", "rule 2 of chain f (ip t), \(new):5",
        "~ a 10.1.0.2 to 10.2.0.2 tcp/90  source 10.2.0.1 → 10.2.0.9",
        "1 of 5 questions would now be lost, 1 would now get through, 1 would fare otherwise, 1 the same by another rule",
      ] { #expect(asked.output.contains(line), "\(line) \(asked)") }
      // Nobody has to name what is different.
      let guessed = try await Programs.nftrace(["diff", old, new, "--guess", "--topology", tests])
      for line in [
        "a 10.1.0.7 to ", "a 10.1.0.8 to ", " tcp/80  accept → drop", " tcp/91  drop → accept",
      ] {
        #expect(guessed.output.contains(line), "\(line) \(guessed)")
      }
      let same = try await Programs.nftrace(["diff", old, old, tests])
      #expect(same.code == 0 && same.output.contains("5 questions, all answered alike"), "\(same)")
      let json = try await Programs.nftrace(["diff", "--json", old, new, tests])
      #expect(json.output.contains("\"lost\": 1"), "\(json)")
    }

    /// Yesterday's traffic against tomorrow's rules.
    @Test func recordedFlows() async throws {
      let net = try await RouterNet(RouterPlan())
      let file = "\(Programs.directory)/yesterday.pcapng"
      let ping = try await net.ping(["-w", file, "-p", "tcp", "--dport", "81"])
      #expect(ping.code != 2 && ping.code != 3, "\(ping)")
      let closed = try write(
        "closed.nft",
        "table ip t { chain f { type filter hook forward priority 0; tcp dport 81 drop; }; }\n")
      let before = try await net.state()
      let outcome = try await Programs.run(
        [
          "ip", "netns", "exec", net.router, Programs.nftrace, "diff", "-", closed, "--recorded",
          file,
        ])
      #expect(
        outcome.code == 1 && outcome.output.contains("1 of 1 flow would now be lost"), "\(outcome)")
      #expect(outcome.output.contains("\(closed):1"), "\(outcome)")
      try await net.expectState(before, "diff")
      let nothing = try await Programs.nftrace([
        "diff", closed, closed, "--recorded", "\(file).not",
      ])
      #expect(nothing.code == 2, "\(nothing)")
    }

    /// The smallest change is found, proven, and what it opens besides is said.
    @Test func theSmallestChange() async throws {
      let topology = try write("why.yaml", Self.topology)
      func search(_ rules: String, _ words: [String] = ["10.2.0.2:80"]) async throws -> Outcome {
        let ruleset = try write(
          "why.nft",
          """
          table ip t {
            set blocked { type ipv4_addr; flags interval; elements = { 10.1.0.0/29, 10.1.0.77 }; }
            set allowed { type ipv4_addr; elements = { 10.1.0.7 }; }
            chain f { type filter hook forward priority 0; ct state established accept
            \(rules)
            }
          }
          """)
        let outcome = try await Programs.nftrace(
          ["why-not", "--ruleset", ruleset, "--topology", topology, "--in", "a", "-s", "10.1.0.2"]
            + words)
        return outcome
      }
      let through = try await search("")
      #expect(
        through.code == 0 && through.output.contains("there is nothing to change"), "\(through)")
      let rule = try await search("tcp dport 80 drop")
      #expect(
        rule.code == 0 && rule.output.contains("it gets through with\n  nft insert rule ip t f ")
          && rule.output.contains("nothing else of what was asked"), "\(rule)")
      // For a quota there is no remedy: the rule is taken away, and that opens all.
      let quota = try await search("quota over 1 bytes drop")
      #expect(quota.code == 0, "\(quota)")
      let two = try await search(
        "tcp dport 80 drop; }; chain g { type filter hook forward priority 9; tcp dport 80 reject;")
      #expect(
        two.code == 0 && two.output.contains("nft insert rule ip t f ")
          && two.output.contains("nft insert rule ip t g "), "\(two)")
      // What is said of the packet is said of all that are sent.
      let long = "meta length > 1000 drop"
      let (short, large) = (
        try await search(long), try await search(long, ["--size", "1200", "10.2.0.2"])
      )
      #expect(short.output.contains("there is nothing to change"), "\(short)")
      #expect(
        large.code == 0 && large.output.contains("it gets through with\n  nft insert rule ip t f "),
        "\(large)")
      let nowhere = try await search("", ["--json", "10.9.0.2:80"])
      #expect(nowhere.code == 1 && nowhere.output.contains("\"changes\": []"), "\(nowhere)")
    }

    /// One test after the other asks the host itself by IPv6, whose packets have no number, with neighbour discovery between them.
    @Test func manyThatAreRefusedByIPv6() async throws {
      let ports = (20...29).map { "tcp/\($0), udp/\($0)" }.joined(separator: ", ")
      let tests = try write(
        "six.yaml",
        """
        topology: {interfaces: {a: "fd77::1/64", b: 10.2.0.1/24}}
        tests:
          - {from: "a fd77::10", to: "fd77::1 [\(ports), icmp]", expect: delivered}

        """)
      let ruleset = try write("six.nft", "table ip t { }\n")
      let outcome = try await Programs.nftrace(["check", "--ruleset", ruleset, tests])
      #expect(
        outcome.code == 0 && outcome.output.contains("21 of 21 tests as expected"), "\(outcome)")
    }

    /// Who is root in a user namespace alone has no rights here, and a topology takes none.
    @Test func rootOfAUserNamespace() async throws {
      let ruleset = try write("user.nft", "table ip t { }\n")
      let tests = try write(
        "user.yaml",
        """
        topology: {interfaces: {a: 10.1.0.1/24, b: 10.2.0.1/24}}
        tests: [{from: a 10.1.0.2, to: 10.2.0.2 udp/53, expect: accept}]

        """)
      for words in ["-Ur", "-Urn"] {
        let outcome = try await Programs.run(
          ["unshare", words, Programs.nftrace, "check", "--ruleset", ruleset, tests])
        #expect(outcome.code == 0 && outcome.output.contains("as expected"), "\(outcome)")
      }
    }

    /// An interface that is down is set up, though nothing can be asked before.
    @Test func anInterfaceThatIsDown() async throws {
      let topology = try write(
        "down.yaml",
        "topology:\n  interfaces: {a: {address: 10.1.0.1/24, up: false}, b: 10.2.0.1/24}\n")
      let ruleset = try write("down.nft", "table ip t { }\n")
      let outcome = try await Programs.nftrace([
        "why-not", "--ruleset", ruleset, "--topology", topology, "--in", "a", "-s", "10.1.0.2",
        "10.2.0.2:80",
      ])
      #expect(
        outcome.code == 0 && outcome.output.contains("a is down")
          && outcome.output.contains("it gets through with\n  ip link set dev a up\n"), "\(outcome)"
      )
    }

    /// The loopback has addresses, each refusal is told however many there are, a list is found by the name that the file gives it,
    /// and a rule that let the question on is not told as what stopped the answer.
    @Test func whatFilesSay() async throws {
      let ports = (1...20).map { "tcp/\($0)" }.joined(separator: ", ")
      let tests = try write(
        "lo.yaml",
        """
        topology: {interfaces: {lo: 192.0.2.9/32, a: 10.1.0.1/24, b: 10.2.0.1/24}}
        tests:
          - {name: web, from: a 10.1.0.2, to: ["192.0.2.9 tcp/80", "192.0.2.9 tcp/81"], expect: delivered}
          - {name: no, from: a 10.1.0.2, to: "10.2.0.2 [\(ports)]", expect: reject}
          - {name: back, from: a 10.1.0.2, to: 10.2.0.2 udp/53, expect: accept}

        """)
      let ruleset = try write(
        "lo.nft",
        """
        table ip t { chain f { type filter hook forward priority 0; policy drop;
          udp dport 53 accept
          meta l4proto tcp reject; }; }

        """)
      func check(_ words: [String]) async throws -> Outcome {
        try await Programs.nftrace(["check", "--ruleset", ruleset] + words + [tests])
      }
      let web = try await check(["--filter", "web"])
      #expect(web.code == 0 && web.output.contains("2 of 2 tests"), "\(web)")
      let refused = try await check(["--filter", "no"])
      #expect(refused.code == 0 && refused.output.contains("20 of 20 tests"), "\(refused)")
      let back = try await check(["--filter", "back", "--github"])
      #expect(
        back.code == 1 && back.output.contains("file=\(tests),line=5"), "\(back)")
      let unread = try await Programs.nftrace(["diff", ruleset, ruleset, "--recorded", "nosuch"])
      #expect(
        unread.code == 2 && unread.error.contains("nftrace: cannot read nosuch: No such file")
          && !unread.error.contains("\\n"), "\(unread)")
    }

    /// A ruleset is like itself, also where a rule has a chain in braces.
    @Test func oneRulesetTwice() async throws {
      let ruleset = try write(
        "braces.nft",
        """
        table ip t { chain f { type filter hook forward priority 0; policy drop;
          ip saddr 10.1.0.0/24 jump { tcp dport 80 accept; }; }; }

        """)
      let tests = try write(
        "braces.yaml",
        Self.topology + "tests: [{from: a 10.1.0.2, to: 10.2.0.2 tcp/80, expect: accept}]\n")
      let outcome = try await Programs.nftrace(["diff", ruleset, ruleset, tests])
      #expect(outcome.code == 0, "\(outcome)")
    }

    /// What helps a failed test is tried in a copy of its place, the narrowest first; what has no such name is said.
    @Test(arguments: [("a 10.1.0.2", "10.2.0.2"), ("a fd01::2", "fd02::2")])
    func whatHelpsIsTried(_ from: String, _ to: String) async throws {
      let ruleset = try write(
        "map.nft",
        """
        table inet fw {
          map ports { type inet_service : verdict; elements = { 22 : drop, 80 : accept, 25 : jump mail } }
          chain mail { udp dport 25 accept; }
          chain f {
            type filter hook forward priority 0; policy drop;
            ct state established accept
            tcp dport vmap @ports comment "by port"
          }
        }
        """)
      let tests = try write(
        "map.yaml",
        Self.topology + """
          tests:
            - {from: \(from), to: "\(to) tcp/443", expect: accept}
            - {from: \(from), to: "\(to) tcp/25", expect: accept}
            - {from: \(from), to: "\(to) tcp/80", expect: accept, by: by prot}
            - {from: \(from), to: "\(to) tcp/80", expect: accept, out: bb}
          """)
      let told = try await Programs.nftrace(["check", "--ruleset", ruleset, tests])
      #expect(told.code == 2, "\(told)")
      for words in [
        "remedy    nft add element inet fw ports '{ 443 : accept }'",
        "tried in a copy of this place: with it the probe gets through",
        "expected by by prot (no rule is called that; did you mean 'by port'?), got",
        "tcp dport 25 accept\n",
        "'out: bb': there is no interface bb here",
      ] {
        #expect(told.output.contains(words), "\(told)")
      }
      #expect(!told.output.contains("{ 25 : accept }"), "\(told)")
    }

    /// So it is for who has no rights; and that whoever asks is not refused by a rule, where nobody would have had it.
    @Test(arguments: ["", "setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs"])
    func whatHelpsIsTriedByAnybody(_ rights: String) async throws {
      _ = try write(
        "refusing.nft",
        """
        table inet fw { chain i {
          type filter hook input priority 0; policy accept;
          tcp dport 22 reject with tcp reset
        }; chain f { type filter hook forward priority 0; tcp dport 25 drop; }; }
        """)
      _ = try write(
        "refusing.yaml",
        Self.topology + """
          tests:
            - {from: a 10.1.0.2, to: "10.2.0.2 tcp/25", expect: accept}
            - {from: a 10.1.0.2, to: "10.1.0.1 tcp/22", expect: delivered}
          """)
      let told = try await Programs.shell(
        """
        cp "$NFTRACE" $DIR/; chmod -R a+rX $DIR; cd $DIR
        \(rights) ./nftrace check --ruleset refusing.nft refusing.yaml
        """)
      #expect(told.code == 1, "\(told)")
      for words in [
        "tried in a copy of this place: with it the probe gets through",
        "tried in a copy of this place: with it whoever asked is told of",
      ] {
        #expect(told.output.contains(words), "\(told)")
      }
    }

    /// Nothing is left of a check that is killed, nor of one that ends.
    @Test func nothingIsLeft() async throws {
      let tests = try write(
        "many.yaml",
        Self.topology + "tests:\n"
          + (1...2000).map { "  - {from: a, to: 10.2.0.\($0 % 200 + 2) icmp, expect: accept}\n" }
          .joined())
      let outcome = try await Programs.shell(
        """
        "$NFTRACE" check -q \(tests) & check=$!
        while ! pgrep -P $check >/dev/null; do sleep 0.02; done
        sleep 0.3; children=$(pgrep -P $check)
        kill -9 $check; wait $check || true
        for try in 1 2 3 4 5 6 7 8 9 10; do ps -p "$(echo $children | tr ' ' ,)" >/dev/null || break; sleep 0.1; done
        for child in $children; do ! ps -o pid,args -p $child | grep nftrace; done
        echo "gone: $(echo $children | wc -w)"
        "$NFTRACE" check -q \(tests) >$DIR/sum 2>&1 & check=$!
        while ! children=$(pgrep -P $check); do sleep 0.02; done
        sleep 1.5; kill -INT $check; code=0; wait $check || code=$?
        echo "ended with $code"; cat $DIR/sum
        """)
      // The namespaces are held by these processes alone.
      #expect(outcome.code == 0 && outcome.output.contains("gone: 2"), "\(outcome)")
      #expect(
        outcome.output.contains("ended with 130") && outcome.output.contains("tests as expected")
          && outcome.output.contains("interrupted: that is not all"), "\(outcome)")
    }
  }
}
