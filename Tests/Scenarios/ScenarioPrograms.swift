import Glibc

/// BPF programs that drop, for who has no `tc` action to do it.
enum ScenarioPrograms {
  /// There while a scenario runs that speaks of it.
  static let directory = "/tmp/nftrace-scenarios-\(getpid())"

  /// A shell script that makes them with the clang of the Swift toolchain, if it is there.
  static let build = """
    mkdir -p \(directory)
    clang=$(dirname "$(readlink -f "$(command -v swift)")")/clang
    [ -x "$clang" ] || clang=$(command -v clang) || exit 0
    cat >\(directory)/drop.c <<'END'
    __attribute__((section("xdp"), used)) int xdp_drop(void *c) { return 1; }
    __attribute__((section("classifier"), used)) int tc_drop(void *c) { return 2; }
    char _license[] __attribute__((section("license"), used)) = "GPL";
    END
    "$clang" -target bpf -O2 -c \(directory)/drop.c -o \(directory)/drop.o
    """
}
