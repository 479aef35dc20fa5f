import Foundation
import Testing

extension LiveTests {
  /// `--otlp`: what a collector gets, as the official decoder reads it where that is there
  /// (scripts/install-dependencies), and what happens where there is none.
  @Suite(.timeLimit(.minutes(4)))
  struct ExportTests {
    /// What the collector of Tests/Collector wrote down of a request.
    private struct Request: Decodable {
      var path: String
      var fault: String?
      var official: Bool
      var headers: [String: String]
      var body: Body?

      struct Body: Decodable {
        var resourceSpans: [ResourceSpans]?
        var resourceLogs: [ResourceLogs]?
      }
      struct ResourceSpans: Decodable {
        var resource: Resource
        var scopeSpans: [ScopeSpans]
      }
      struct ScopeSpans: Decodable { var spans: [Span] }
      struct ResourceLogs: Decodable { var scopeLogs: [ScopeLogs] }
      struct ScopeLogs: Decodable { var logRecords: [LogRecord] }
      struct Resource: Decodable { var attributes: [Attribute] }
      struct Attribute: Decodable {
        var key: String
        var value: Value
        struct Value: Decodable {
          var stringValue: String?
          var intValue: String?
        }
      }
      struct Span: Decodable {
        var traceId: String
        var spanId: String
        var parentSpanId: String?
        var name: String
        var kind: Int
        var attributes: [Attribute]
        var status: Status?
        struct Status: Decodable { var code: Int? }
        func text(_ key: String) -> String? {
          attributes.first { $0.key == key }?.value.stringValue
        }
      }
      struct LogRecord: Decodable {
        var traceId: String?
        var spanId: String?
        var attributes: [Attribute]
      }
    }

    private static let root = URL(filePath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()

    /// Runs a script with a collector on port 4318 of the server's loopback, in whose namespace nftrace is started.
    /// Returns what the script printed, and what the collector got.
    private func withCollector(
      _ net: RouterNet, answering mode: String = "ok", _ script: String
    ) async throws -> (Outcome, [Request]) {
      let python = Self.root.appending(path: ".build/otlp/bin/python3").path
      let hasPython = FileManager.default.isExecutableFile(atPath: python)
      let outcome = try await Programs.shell(
        """
        ip netns exec $S \(hasPython ? python : "python3") \(Self.root.path)/Tests/Collector/receiver.py \
          127.0.0.1 4318 $DIR/got.$R \(mode) >$DIR/ready.$R & collector=$!
        trap 'kill $collector; rm -f $DIR/ready.$R' EXIT
        while ! [ -s $DIR/ready.$R ]; do sleep 0.02; done
        \(script)
        """, environment: net.environment)
      let file = "\(Programs.directory)/got.\(net.router)"
      let lines = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
      _ = try? FileManager.default.removeItem(atPath: file)
      let requests = try lines.split(separator: "\n").map {
        try JSONDecoder().decode(Request.self, from: Data($0.utf8))
      }
      for request in requests { #expect(request.fault == nil, "\(request)") }
      return (outcome, requests)
    }

    private static let ping =
      "ip netns exec $S $NFTRACE ping -q --no-rehearsal --netns $R --netns $S --local $SERVER"

    private func spans(_ requests: [Request]) -> [Request.Span] {
      requests.flatMap { $0.body?.resourceSpans ?? [] }.flatMap(\.scopeSpans).flatMap(\.spans)
    }

    @Test(arguments: [RouterPlan(), .ipv6])
    func aProbeIsOneTrace(plan: RouterPlan) async throws {
      let net = try await RouterNet(plan)
      let (outcome, requests) = try await withCollector(
        net,
        """
        TRACEPARENT=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 \
        OTEL_EXPORTER_OTLP_HEADERS=api-key=secret OTEL_RESOURCE_ATTRIBUTES=site=lab \
          \(Self.ping) --otlp http://127.0.0.1:4318
        """)
      #expect(outcome.code == 0 && outcome.error == "", "\(outcome)")
      #expect(requests.map(\.path).first == "/v1/traces")
      #expect(requests.allSatisfy { $0.headers["api-key"] == "secret" })
      let resource = requests.first?.body?.resourceSpans?.first?.resource.attributes ?? []
      #expect(resource.contains { $0.key == "site" && $0.value.stringValue == "lab" })
      #expect(resource.contains { $0.key == "service.name" && $0.value.stringValue == "nftrace" })
      let spans = spans(requests)
      #expect(Set(spans.map(\.traceId)) == ["0af7651916cd43dd8448eb211c80319c"])
      let root = try #require(spans.first { $0.parentSpanId == "b7ad6b7169203331" })
      #expect(root.kind == 3 && root.name.hasPrefix("ping "))
      // One under the other: to the server and back, each as both namespaces saw it.
      var (above, names) = (root.spanId, [String]())
      while let next = spans.first(where: { $0.parentSpanId == above }) {
        above = next.spanId
        names.append(next.name)
      }
      #expect(names.count == spans.count - 1)
      #expect(
        names == [
          "request in \(net.router)", "request in \(net.server)", "reply in \(net.server)",
          "reply in \(net.router)",
        ])
      #expect(spans.allSatisfy { $0.status?.code ?? 0 == 0 })
    }

    @Test func theDropIsAnError() async throws {
      let net = try await RouterNet()
      try await net.run("ip netns exec $S iptables -A INPUT -p tcp --dport 81 -j DROP")
      let (outcome, requests) = try await withCollector(
        net, "\(Self.ping):81 --otlp http://127.0.0.1:4318/v1/traces")
      #expect(outcome.code == 1 && outcome.error == "", "\(outcome)")
      let spans = spans(requests)
      let failed = spans.filter { $0.status?.code == 2 && $0.kind == 1 }
      #expect(failed.map(\.name) == ["request in \(net.server)"])
      #expect(failed.first?.text("error.type") == "rule-drop")
      let logs = requests.flatMap { $0.body?.resourceLogs ?? [] }.flatMap(\.scopeLogs)
        .flatMap(\.logRecords)
      #expect(logs.contains { $0.spanId == failed.first?.spanId && $0.traceId == spans[0].traceId })
    }

    /// Packets as they come are traces as they come: before who follows is interrupted, and what is lost is an error.
    @Test func whatIsFollowedIsExported() async throws {
      let net = try await RouterNet()
      try await net.run("ip netns exec $S iptables -A INPUT -p udp --dport 81 -j DROP")
      let (outcome, requests) = try await withCollector(
        net,
        """
        "$NFTRACE" setup --netns $S $SERVER >/dev/null
        ip netns exec $S $NFTRACE show --follow -q --otlp http://127.0.0.1:4318 >/dev/null & follow=$!
        sleep 0.7
        ip netns exec $R ping -q -c 1 -W 1 $SERVER >/dev/null
        ip netns exec $R sh -c 'echo x >/dev/udp/'$SERVER'/81' 2>/dev/null \
          || ip netns exec $R bash -c 'echo x >/dev/udp/'$SERVER'/81'
        sleep 3
        wc -l <$DIR/got.$R
        kill -INT $follow; wait $follow || true
        "$NFTRACE" teardown --netns $S >/dev/null
        """)
      #expect(outcome.code == 0 && outcome.error == "", "\(outcome)")
      #expect(Int(outcome.output.split(separator: "\n").first ?? "") ?? 0 > 0, "\(outcome)")
      let spans = spans(requests)
      #expect(spans.contains { $0.name.hasPrefix("reply in ") }, "\(spans)")
      #expect(spans.contains { $0.status?.code == 2 && $0.text("error.type") == "rule-drop" })
    }

    @Test(arguments: [
      ("503", "it answered with status 503"), ("404", "it answered with status 404"),
      ("garbage", "is no HTTP"), ("hang", "no answer came in time"),
    ])
    func aCollectorThatDoesNotTakeIt(mode: String, words: String) async throws {
      let net = try await RouterNet()
      let (outcome, _) = try await withCollector(
        net, answering: mode,
        "OTEL_EXPORTER_OTLP_TIMEOUT=1500 timeout 8 \(Self.ping) --otlp http://127.0.0.1:4318")
      #expect(outcome.code == 0, "\(outcome)")
      #expect(outcome.error.contains("1 trace was not exported"), "\(outcome)")
      #expect(outcome.error.contains(words), "\(outcome)")
      #expect(outcome.error.split(separator: "\n").count == 1, "\(outcome)")
    }

    @Test func oneThatIsBusyIsAskedAgain() async throws {
      let net = try await RouterNet()
      let (outcome, requests) = try await withCollector(
        net, answering: "unavailable", "\(Self.ping) --otlp http://127.0.0.1:4318")
      #expect(outcome.code == 0 && outcome.error == "", "\(outcome)")
      #expect(requests.count { $0.path == "/v1/traces" } == 3)
    }

    @Test func oneThatRefusesSomethingIsHeard() async throws {
      let net = try await RouterNet()
      let (outcome, _) = try await withCollector(
        net, answering: "partial", "\(Self.ping) --otlp http://127.0.0.1:4318")
      #expect(outcome.code == 0)
      #expect(outcome.error.contains("2 of 5 spans were not taken: too old"), "\(outcome)")
    }

    @Test func nobodyThere() async throws {
      let net = try await RouterNet()
      let outcome = try await Programs.shell(
        "\(Self.ping) --otlp http://127.0.0.1:4319", environment: net.environment)
      #expect(outcome.code == 0)
      #expect(
        outcome.error == "nftrace: 1 trace was not exported to http://127.0.0.1:4319/v1/traces: "
          + "Connection refused\n")
    }

    @Test func aSessionIsExportedAsItWasWhenItWasMade() async throws {
      let net = try await RouterNet()
      let (outcome, requests) = try await withCollector(
        net,
        """
        \(Self.ping) -w $DIR/s.$R --otlp $DIR/j.$R
        ip netns exec $S $NFTRACE show -q $DIR/s.$R --otlp http://127.0.0.1:4318
        cat $DIR/j.$R; rm $DIR/j.$R $DIR/s.$R
        """)
      #expect(outcome.code == 0 && outcome.error == "", "\(outcome)")
      let line = outcome.output.split(separator: "\n").first { $0.hasPrefix("{\"resourceSpans\"") }
      let file = try JSONDecoder().decode(
        Request.Body.self, from: Data(try #require(line).utf8))
      let live = (file.resourceSpans ?? []).flatMap(\.scopeSpans).flatMap(\.spans)
      #expect(live.map(\.name) == spans(requests).map(\.name))
    }

    /// `record --otlp`: of each rule and minute one packet, with its rule in words.
    @Test(arguments: ["ok", "hang"])
    func samplesOfWhatIsDropped(mode: String) async throws {
      let net = try await RouterNet()
      try await net.inRouter(
        """
        nft add table inet m
        nft add chain inet m out '{ type filter hook output priority 0; policy accept; }'
        nft add rule inet m out udp dport 81 drop
        nft add rule inet m out udp dport 82 drop
        """)
      let (outcome, requests) = try await withCollector(
        net, answering: mode,
        """
        ip netns exec $R $NFTRACE setup -q --no-record $SERVER >/dev/null
        OTEL_EXPORTER_OTLP_TIMEOUT=1500 ip netns exec $S $NFTRACE record --netns $R $DIR/r.$R \
          --otlp http://127.0.0.1:4318 2>$DIR/e.$R & recorder=$!
        while ! grep -q recording $DIR/e.$R; do sleep 0.02; done
        ip netns exec $R python3 -c '
        import socket
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for port in (81, 82):
          for _ in range(100):
            try: s.sendto(b"x", ("\(net.plan.server)", port))
            except OSError: pass
        '
        sleep 0.5
        kill -INT $recorder; code=0; wait $recorder || code=$?
        ip netns exec $R $NFTRACE teardown -q >/dev/null
        cat $DIR/e.$R >&2; rm $DIR/e.$R $DIR/r.$R; exit $code
        """)
      #expect(outcome.code == 130, "\(outcome)")
      if mode == "hang" {
        #expect(outcome.error.contains("2 log records were not exported"), "\(outcome)")
        return
      }
      #expect(!outcome.error.contains("not exported"), "\(outcome)")
      let records = requests.flatMap { $0.body?.resourceLogs ?? [] }.flatMap(\.scopeLogs)
        .flatMap(\.logRecords)
      let rules = records.map { record in
        record.attributes.first { $0.key == "nftrace.rule" }?.value.stringValue ?? ""
      }
      #expect(rules.sorted() == ["udp dport 81 drop", "udp dport 82 drop"], "\(requests)")
    }

    @Test func whatIsReadIsNotWritten() async throws {
      let outcome = try await Programs.shell(
        """
        cp \(Self.root.path)/fixtures/drop-iptables-subchain-v4.pcapng $DIR/same.pcapng
        $NFTRACE show $DIR/same.pcapng --otlp $DIR/../${DIR##*/}/same.pcapng || echo code $?
        cmp \(Self.root.path)/fixtures/drop-iptables-subchain-v4.pcapng $DIR/same.pcapng && echo whole
        rm $DIR/same.pcapng
        """)
      #expect(outcome.output == "code 2\nwhole\n", "\(outcome)")
    }

    @Test func aFullDiskChangesNothing() async throws {
      let net = try await RouterNet()
      let outcome = try await Programs.shell(
        "\(Self.ping) --otlp /dev/full", environment: net.environment)
      #expect(outcome.code == 0)
      #expect(outcome.error.contains("1 trace was not exported: cannot write /dev/full"))
    }
  }
}
