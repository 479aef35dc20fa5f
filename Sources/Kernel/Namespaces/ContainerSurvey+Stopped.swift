internal import Glibc
internal import Trace

// What is kept on this machine and does not run: it has no network namespace.

extension ContainerSurvey {
  /// What is called so and has no network namespace of its own, in words for the user; nil where nothing is.
  mutating func stopped(_ text: String) -> String? {
    stoppedDocker(text) ?? stoppedPodman(text) ?? stoppedMachine(text) ?? stoppedTree(text)
  }

  private mutating func stoppedDocker(_ text: String) -> String? {
    let data = "\(dockerData)/containers"
    for id in names(in: data) {
      guard let file = object("\(data)/\(id)/config.v2.json") else { continue }
      let name = file["Name"]?.string?.drop { $0 == "/" } ?? ""
      guard name == text || id == text || text.utf8.count >= 8 && id.hasPrefix(text) else {
        continue
      }
      return Self.words("docker container", text, "docker start")
    }
    return nil
  }

  private func stoppedPodman(_ text: String) -> String? {
    for driver in ["overlay", "vfs", "btrfs"] {
      let list = value("/var/lib/containers/storage/\(driver)-containers/containers.json")
      guard case .array(let containers)? = list else { continue }
      for container in containers {
        guard case .array(let names)? = container["names"] else { continue }
        if names.contains(.string(text)) || container["id"]?.string == text {
          return Self.words("podman container", text, "podman start")
        }
      }
    }
    return nil
  }

  /// systemd-machined knows of machines that have no leader any more, and of virtual ones, whose packets pass the
  /// host's namespace.
  private func stoppedMachine(_ text: String) -> String? {
    guard !text.contains("/"), let known = self.text("/run/systemd/machines/\(text)") else {
      return nil
    }
    if known.split(separator: "\n").contains("CLASS=vm") {
      return
        "\(text) is a virtual machine: it has a kernel of its own, and its packets pass this one's "
        + "interfaces, in the host's network namespace"
    }
    return Self.words("machine", text, "machinectl start")
  }

  /// A directory of each, or an image.
  private func stoppedTree(_ text: String) -> String? {
    guard !text.contains("/") else { return nil }
    for (home, kind, start) in Self.trees
    where exists("\(home)/\(text)") || exists("\(home)/\(text).raw") {
      return Self.words(kind, text, start)
    }
    return nil
  }

  private static let trees = [
    ("/var/lib/machines", "machine", "machinectl start"),
    ("/var/lib/lxc", "LXC container", "lxc-start -n"),
    ("/var/lib/lxd/containers", "LXD container", "lxc start"),
    ("/var/snap/lxd/common/lxd/containers", "LXD container", "lxc start"),
    ("/var/lib/incus/containers", "Incus container", "incus start"),
  ]

  private static func words(_ kind: String, _ name: String, _ start: String) -> String {
    let name = Escape.name(name)
    return
      "the \(kind) \(name) does not run, and so has no network namespace: '\(start) \(name)' starts it"
  }
}
