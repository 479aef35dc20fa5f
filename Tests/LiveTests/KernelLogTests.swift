import FoundationEssentials
import Glibc
import Kernel
import Testing

extension LiveTests {
  /// `setup --backend log` and what `show --backend log` makes of it, from the kernel's own log.
  @Suite(.timeLimit(.minutes(2)))
  struct KernelLogTests {
    /// Whether the kernel logs what happens outside of the machine's first namespace: that is for
    /// its owner to say, not for a test.
    private static let isTold: Bool = {
      guard let first = try? NetworkNamespace("1"),
        let value = try? first.within({ () throws(KernelError) in
          try Sysctl(path: "net/netfilter/nf_log_all_netns")!.read()
        })
      else { return false }
      return value == "1"
    }()

    /// A router whose client and server are watched, a ping, and what is shown of it.
    private func show(_ words: String, after command: String = "") async throws -> String {
      let net = try await RouterNet()
      return try await net.inRouter(
        """
        "$NFTRACE" setup --backend log "$SUBNET" $SERVER/32 >/dev/null 2>&1
        ping -q -c2 -i.2 -W1 $SERVER >/dev/null
        code=0; \(command) "$NFTRACE" show --backend log \(words) 2>&1 || code=$?
        echo "code $code"; "$NFTRACE" teardown >/dev/null
        """)
    }

    @Test func whatTheKernelLogHas() async throws {
      let outcome = try await show("")
      if Self.isTold {
        let heads = outcome.split(separator: "\n").filter { $0.hasPrefix("#") }
        #expect(heads.count == 2 && heads.allSatisfy { $0.contains("echo request") }, "\(outcome)")
        #expect(outcome.contains("created      by this host"), "\(outcome)")
        #expect(outcome.contains("<- echo reply") && outcome.contains("code 0"), "\(outcome)")
      } else {
        #expect(outcome.contains("nf_log_all_netns=1"), "\(outcome)")
        #expect(outcome.hasSuffix("code 1\n"), "\(outcome)")
      }
    }

    @Test func withoutTheRight() async throws {
      // Where the sysctl lets everybody read, nothing is missing.
      guard
        try String(decoding: InputFile("/proc/sys/kernel/dmesg_restrict").read(), as: UTF8.self)
          == "1\n"
      else { return }
      let outcome = try await show(
        "", after: "setpriv --bounding-set -syslog --inh-caps -syslog")
      #expect(outcome.contains("CAP_SYSLOG") && outcome.hasSuffix("code 3\n"), "\(outcome)")
    }

    /// A saved log, as a file and as a stream, with the filters of every other recording.
    @Test func aSavedLog() async throws {
      let log = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
      let file = "/\(log)/fixtures/kernel-log.dmesg"
      func nftrace(_ script: String) async throws -> Outcome {
        try await Programs.shell(script, environment: ["FILE": file])
      }
      let whole = try await nftrace("\"$NFTRACE\" show --backend log -q --last 99 \"$FILE\"")
      #expect(whole.code == 0 && whole.error.isEmpty, "\(whole)")
      let streamed = try await nftrace(
        "cat \"$FILE\" | \"$NFTRACE\" show --backend log -q --last 99 -")
      #expect(streamed.code == 0 && streamed.output == whole.output, "\(streamed)")
      for (words, ids) in [
        ("--from fd00:69::/64", ["#5-6"]), ("--protocol udp", ["#13-14"]), ("--packet 3", ["#3-4"]),
        ("--lost", ["#3-4", "#11-12"]), ("--packet 13", ["#13-14"]),
        ("--to 172.16.16.0/24 --lost", []),
      ] {
        let outcome = try await nftrace(
          "\"$NFTRACE\" show --backend log -q --last 99 \(words) \"$FILE\"")
        let found = outcome.output.split(separator: "\n").compactMap {
          $0.split(separator: " ").first
        }
        #expect(found.map { "\($0)" } == ids, "\(words): \(outcome)")
        #expect(outcome.code == (ids.isEmpty ? 1 : 0), "\(words): \(outcome)")
      }
      let damaged = try await nftrace(
        "sed '5s/TTL=/TT=/; 40s/DST.*//' \"$FILE\" | \"$NFTRACE\" show --backend log -q --last 99 -"
      )
      #expect(damaged.code == 0 && damaged.output == whole.output, "\(damaged)")
      #expect(
        damaged.error.contains("2 of ") && damaged.error.contains("line 5: ")
          && damaged.error.contains("line 40: "), "\(damaged)")
    }

    @Test(arguments: [
      ("show --backend log /dev/null", 1, "no line of a setup's rules"),
      ("show --backend log \"${FILE%.dmesg}\".dmesg.json", 1, "no line of a setup's rules"),
      ("show --backend log --export /tmp/x \"$FILE\"", 2, "--export"),
      ("show --backend log --follow \"$FILE\"", 2, "no FILE"),
      ("show --backend log \"${FILE%/*}\"/healthy-nft-v4.pcapng", 2, "pcapng"),
      ("show \"$FILE\"", 2, "--backend log"),
    ]) func whatCannotBe(words: String, code: Int32, reason: String) async throws {
      let log = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
      let outcome = try await Programs.shell(
        "\"$NFTRACE\" \(words)", environment: ["FILE": "/\(log)/fixtures/kernel-log.dmesg"])
      #expect(outcome.code == code && outcome.output.isEmpty, "\(outcome)")
      #expect(outcome.error.contains(reason), "\(outcome)")
    }
  }
}
