/// What a shell is told of completions, as the reader of arguments writes it, and what that cannot say: where a file or a
/// recording is asked for, both are offered.
enum CompletionScript {
  /// The option of any command that asks for one.
  static let option = "--generate-completion-script"

  private static let recordings = "nftrace recordings -q 2>/dev/null"
  private static let bash = "__nftrace_add_completions -o plusdirs -fX '!*.@(pcapng|pcap|log)'"
  private static let zsh = #"_files -g '\''*.pcapng *.pcap *.log'\''"#
  private static let fish = #"exts \'pcapng\' \'pcap\' \'log\'"#

  /// The script, with the names of recordings beside those of sessions' files.
  static func withRecordings(_ script: String) -> String {
    var lines: [String] = []
    for line in script.split(separator: "\n", omittingEmptySubsequences: false) {
      // A packet of a file is sent again, and no recording's.
      let isOfFiles = lines.last?.contains("'--like'") == true || line.contains("like")
      lines.append(String(line))
      if isOfFiles { continue }
      if line.hasSuffix(bash) {
        let indentation = String(line.prefix { $0 == " " })
        lines.append("\(indentation)__nftrace_add_completions -W \"$(\(recordings))\"")
      } else if line.contains(zsh) {
        lines[lines.count - 1].replace(
          zsh,
          with:
            #"{\#(zsh);local -a list;list=(${(f)"$(\#(recordings))"});_describe -V "" list}"#)
      } else if line.contains(fish), let files = line.range(of: "(set -l") {
        // Those of an option are its value (-r), those of the command's own words are none; neither is a file's name (-f).
        lines.append("\(line[..<files.lowerBound].dropLast())'(\(recordings))'")
      }
    }
    return lines.joined(separator: "\n")
  }
}

extension Substring {
  /// Where this text stands first.
  fileprivate func range(of text: String) -> Range<Index>? { ranges(of: text).first }
}
