import ArgumentParser

/// Where observations go.
enum SetupBackend: String, Choice {
  case nflog, log
}
