internal import Glibc
internal import Trace

/// The containers and pods that run on this machine, from what their engines keep on disk and from the processes
/// there are. No engine is asked: that would take its program, or its socket and the rights to it.
package struct ContainerSurvey: Sendable {
  /// Those that were found.
  package private(set) var found: [Container] = []
  /// What is before all paths: another tree, for tests.
  let root: String
  /// Whether a directory could not be read for want of rights.
  private(set) var isHidden = false

  /// Looks at the machine as it is now.
  package init(root: String = "") {
    self.root = root
    found = docker() + storage() + tasks() + machines() + monitors()
  }

  // MARK: Docker

  /// Docker keeps a file of each container where its data are: `State` with the process, `Name` behind a slash.
  private mutating func docker() -> [Container] {
    let data = dockerData
    return names(in: data + "/containers").compactMap { id in
      guard let file = object("\(data)/containers/\(id)/config.v2.json"),
        let state = file["State"], state["Running"] == .bool(true),
        let process = state["Pid"]?.number, isAlive(process, of: id)
      else { return nil }
      let labels = file["Config"]?["Labels"]
      let name = file["Name"]?.string.map { $0.hasPrefix("/") ? String($0.dropFirst()) : $0 } ?? id
      if let pod = pod(labels, "io.kubernetes.pod."), name.hasPrefix("k8s_POD_") {
        return Container(
          engine: "docker", name: pod.whole, otherNames: [pod.name, name, id],
          path: Self.path(process), isPod: true)
      }
      return Container(engine: "docker", name: name, otherNames: [id], path: Self.path(process))
    }
  }

  var dockerData: String {
    object("/etc/docker/daemon.json")?["data-root"]?.string ?? "/var/lib/docker"
  }

  // MARK: Podman and CRI-O

  /// Podman and CRI-O share containers/storage: one list of names, and a directory for each that runs, with the
  /// process in a file and, of CRI-O's, what Kubernetes calls it.
  private mutating func storage() -> [Container] {
    var places = [("/var/lib/containers/storage", "/run/containers/storage")]
    // Of users who run containers without rights.
    for user in names(in: "/run/user") {
      let homes = names(in: "/home").map { "/home/\($0)/.local/share/containers/storage" }
      places += homes.map { ($0, "/run/user/\(user)/containers") }
    }
    var found: [Container] = []
    for (data, run) in places {
      for driver in ["overlay", "vfs", "btrfs"] {
        guard case .array(let list)? = value("\(data)/\(driver)-containers/containers.json") else {
          continue
        }
        for entry in list {
          guard let id = entry["id"]?.string else { continue }
          let directory = "\(run)/\(driver)-containers/\(id)/userdata"
          let called: [String] =
            if case .array(let names)? = entry["names"] { names.compactMap(\.string) } else { [] }
          if let container = container(id, called, in: directory), !found.contains(container) {
            found.append(container)
          }
        }
      }
    }
    return found
  }

  private mutating func container(
    _ id: String, _ called: [String], in directory: String
  ) -> Container? {
    let configuration = object("\(directory)/config.json")
    let notes = configuration?["annotations"]
    // Without a process of its own, a pod's namespace is mounted.
    let mounted = networkPath(configuration)
    let path: String
    if let process = number(in: "\(directory)/pidfile"), isAlive(process) {
      path = Self.path(process)
    } else if let mounted, exists(mounted) {
      path = mounted
    } else {
      return nil
    }
    let (kind, name) = (
      notes?["io.kubernetes.cri-o.ContainerType"], notes?["io.kubernetes.cri-o.KubeName"]
    )
    if kind?.string == "sandbox", let pod = name?.string {
      let namespace = notes?["io.kubernetes.cri-o.Namespace"]?.string ?? "default"
      return Container(
        engine: "cri-o", name: "\(namespace)/\(pod)", otherNames: [pod, id] + called, path: path,
        isPod: true)
    }
    let engine = kind == nil ? "podman" : "cri-o"
    return Container(
      engine: engine, name: called.first ?? id, otherNames: [id] + called.dropFirst(), path: path)
  }

  // MARK: containerd

  /// containerd has a directory for each task, with the OCI bundle in it: `init.pid`, and the annotations of
  /// Kubernetes and of nerdctl in `config.json`. Docker's are there as well; it has better names for them.
  private mutating func tasks() -> [Container] {
    let states = [
      "/run/containerd", "/run/k3s/containerd", "/var/snap/microk8s/common/run/containerd",
    ]
    var found: [Container] = []
    for state in states {
      let tasks = "\(state)/io.containerd.runtime.v2.task"
      for space in names(in: tasks) where space != "moby" {
        for id in names(in: "\(tasks)/\(space)") {
          let bundle = "\(tasks)/\(space)/\(id)"
          guard let process = number(in: "\(bundle)/init.pid"), isAlive(process) else { continue }
          let notes = object("\(bundle)/config.json")?["annotations"]
          let path = Self.path(process)
          if notes?["io.kubernetes.cri.container-type"]?.string == "sandbox",
            let pod = notes?["io.kubernetes.cri.sandbox-name"]?.string
          {
            let namespace = notes?["io.kubernetes.cri.sandbox-namespace"]?.string ?? "default"
            found.append(
              Container(
                engine: "containerd", name: "\(namespace)/\(pod)", otherNames: [pod, id],
                path: path,
                isPod: true))
          } else {
            let name =
              notes?["nerdctl/name"]?.string ?? notes?["io.kubernetes.cri.container-name"]?.string
              ?? nerdctlName(of: id, space)
            found.append(
              Container(
                engine: "containerd", name: name ?? id, otherNames: name == nil ? [] : [id],
                path: path))
          }
        }
      }
    }
    return found
  }

  /// nerdctl has a file for each name, with the id in it.
  private mutating func nerdctlName(of id: String, _ space: String) -> String? {
    for store in names(in: "/var/lib/nerdctl") {
      let directory = "/var/lib/nerdctl/\(store)/names/\(space)"
      for name in names(in: directory) where text("\(directory)/\(name)") == id { return name }
    }
    return nil
  }

  // MARK: systemd-nspawn, LXC, LXD, Incus

  /// systemd-machined has a file for each machine, of lines `NAME=VALUE`. A virtual machine's leader is none of it.
  private mutating func machines() -> [Container] {
    names(in: "/run/systemd/machines").compactMap { name in
      guard !name.hasPrefix("unit:"), let text = text("/run/systemd/machines/\(name)") else {
        return nil
      }
      var values: [Substring: Substring] = [:]
      for line in text.split(separator: "\n") {
        let parts = line.split(separator: "=", maxSplits: 1)
        if parts.count == 2 { values[parts[0]] = parts[1] }
      }
      guard values["CLASS"] != "vm", let process = values["LEADER"].flatMap({ Int($0) }),
        isAlive(process)
      else { return nil }
      return Container(engine: "machinectl", name: name, path: Self.path(process))
    }
  }

  /// LXC, and LXD and Incus with it, have a process watch each container, which says in its title whose it is:
  /// "[lxc monitor] DIRECTORY NAME". The container's first process is its child.
  private mutating func monitors() -> [Container] {
    // To read the titles of all processes is much for a machine that has no such thing.
    guard Self.homes.contains(where: { exists($0) }) else { return [] }
    return names(in: "/proc").compactMap { Int($0) }.sorted().compactMap { process in
      guard let title = text("/proc/\(process)/cmdline"), title.hasPrefix(Self.monitor),
        let child = text("/proc/\(process)/task/\(process)/children")?.split(separator: " ").first
          .flatMap({ Int($0) })
      else { return nil }
      let words = title.dropFirst(Self.monitor.count).prefix { $0 != "\0" }.split(separator: " ")
      guard words.count >= 2, let name = words.last else { return nil }
      let engine =
        words[0].contains("incus") ? "incus" : words[0].contains("lxd") ? "lxd" : "lxc"
      return Container(engine: engine, name: String(name), path: Self.path(child))
    }
  }

  private static let monitor = "[lxc monitor] "
  /// Where they keep what they have.
  private static let homes = ["/var/lib/lxc", "/var/lib/lxd", "/var/snap/lxd", "/var/lib/incus"]

  // MARK: Files

  private static func path(_ process: Int) -> String { "/proc/\(process)/ns/net" }

  mutating func names(in directory: String) -> [String] {
    do throws(Errno) {
      return try Files.list(root + directory).sorted()
    } catch {
      if error.code == EACCES { isHidden = true }
      return []
    }
  }

  func text(_ path: String) -> String? {
    guard let text = try? Files.text(root + path) else { return nil }
    return text.hasSuffix("\n") ? String(text.dropLast()) : text
  }

  private func number(in path: String) -> Int? { text(path).flatMap { Int($0) } }
  func value(_ path: String) -> JSONValue? { text(path).flatMap { try? JSONValue($0) } }
  func object(_ path: String) -> JSONValue? { value(path) }
  func exists(_ path: String) -> Bool { FileIdentity(root + path) != nil }

  /// Whether there is such a process. What was written down before the machine started last says nothing: where
  /// the control group can be read, it has to have the id in its name.
  private func isAlive(_ process: Int, of id: String? = nil) -> Bool {
    guard process > 0, exists("/proc/\(process)") else { return false }
    guard let id, let groups = text("/proc/\(process)/cgroup") else { return true }
    return groups.contains(id)
  }

  /// The network namespace that an OCI configuration joins.
  private func networkPath(_ configuration: JSONValue?) -> String? {
    guard case .array(let namespaces)? = configuration?["linux"]?["namespaces"] else { return nil }
    return namespaces.first { $0["type"]?.string == "network" }?["path"]?.string
  }

  private func pod(_ labels: JSONValue?, _ prefix: String) -> (name: String, whole: String)? {
    guard let name = labels?[prefix + "name"]?.string else { return nil }
    return (name, "\(labels?[prefix + "namespace"]?.string ?? "default")/\(name)")
  }
}

extension JSONValue {
  /// The member of this name; nil where there is none, or this is no object.
  subscript(name: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.0 == name }?.1
  }

  var string: String? { if case .string(let text) = self { text } else { nil } }
  fileprivate var number: Int? { if case .int(let number) = self { number } else { nil } }
}
