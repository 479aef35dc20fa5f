import ArgumentParser

/// When to use colours.
enum ColorChoice: String, Choice {
  case auto, always, never
}
