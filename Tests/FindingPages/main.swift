import Foundation
import Trace

// Writes docs/findings and the list in README.md from the registry: scripts/findings.

let root = URL(filePath: FileManager.default.currentDirectoryPath)
let catalogue = try FindingCatalogue(Registry.pages, examples: FindingExamples.collect())
var files = FindingFiles(root: root, isCheck: CommandLine.arguments.dropFirst().first == "--check")
try files.put(catalogue)

for name in files.behind { print(files.isCheck ? "behind: \(name)" : name) }
if files.isCheck, !files.behind.isEmpty {
  print("'scripts/findings' writes them from the registry of diagnoses")
  exit(1)
}
