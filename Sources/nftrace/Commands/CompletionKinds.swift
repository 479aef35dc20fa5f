import ArgumentParser

/// What a shell offers where an option asks for one of these. The commands run in bash, zsh and fish, so they are
/// words alone; nothing of it is looked at when nftrace itself starts.
extension CompletionKind {
  /// The interfaces of the shell's network namespace.
  static var interfaces: CompletionKind { .shellCommand("ls /sys/class/net") }

  /// The names of 'ip netns'.
  static var networkNamespaces: CompletionKind { .shellCommand("ls /run/netns 2>/dev/null") }

  /// The users of this machine.
  static var users: CompletionKind { .shellCommand("cut -d: -f1 /etc/passwd") }

  /// Sessions, captures and saved kernel logs.
  static var sessions: CompletionKind { .file(extensions: ["pcapng", "pcap", "log"]) }

  /// What 'nftrace recordings' lists.
  static var recordings: CompletionKind { .shellCommand("nftrace recordings -q 2>/dev/null") }
}
