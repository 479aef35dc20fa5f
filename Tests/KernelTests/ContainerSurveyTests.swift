import Foundation
import Testing

@testable import Kernel

/// Containers and pods are found by what their engines keep on disk: trees are made up here.
@Suite struct ContainerSurveyTests {
  /// A directory in the place of the machine's root, which goes with this value.
  final class Tree {
    let root = FileManager.default.temporaryDirectory.appending(path: "nftrace-\(UUID())")

    deinit { try? FileManager.default.removeItem(at: root) }

    func put(_ path: String, _ text: String) throws {
      let file = root.appending(path: path)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }

    /// There is such a process, in this control group.
    func process(_ number: Int, group: String = "/") throws {
      try put("proc/\(number)/cgroup", "0::\(group)\n")
    }

    var found: [Container] { ContainerSurvey(root: root.path).found }
  }

  private static let id = String(repeating: "3f", count: 32)
  private static let other = String(repeating: "9a", count: 32)

  private func docker(_ tree: Tree, _ id: String, _ text: String, under data: String) throws {
    try tree.put("\(data)/containers/\(id)/config.v2.json", text)
  }

  @Test(arguments: ["var/lib/docker", "srv/docker"]) func docker(data: String) throws {
    let tree = Tree()
    if data.hasPrefix("srv") {
      try tree.put("etc/docker/daemon.json", #"{"data-root": "/srv/docker", "ipv6": true}"#)
    }
    try docker(
      tree, Self.id,
      #"{"State":{"Running":true,"Pid":4711,"StartedAt":"x"},"ID":"\#(Self.id)","Name":"/web","Config":{"Labels":{}}}"#,
      under: data)
    try tree.process(4711, group: "/system.slice/docker-\(Self.id).scope")
    // Not running; and of before the machine was started, with another's process by now.
    try docker(
      tree, Self.other, #"{"State":{"Running":false,"Pid":0},"Name":"/old"}"#, under: data)
    try docker(
      tree, "77", #"{"State":{"Running":true,"Pid":12},"Name":"/stale"}"#, under: data)
    try tree.process(12, group: "/user.slice")
    #expect(
      tree.found == [
        Container(
          engine: "docker", name: "web", otherNames: [Self.id], path: "/proc/4711/ns/net")
      ])
  }

  /// What is kept and does not run has no network namespace: that is said, and what starts it.
  @Test func whatDoesNotRun() throws {
    let tree = Tree()
    try docker(
      tree, Self.other, #"{"State":{"Running":false,"Pid":0},"Name":"/old"}"#,
      under: "var/lib/docker")
    try tree.put(
      "var/lib/containers/storage/overlay-containers/containers.json",
      #"[{"id":"\#(Self.id)","names":["box"]}]"#)
    try tree.put("run/systemd/machines/gone", "NAME=gone\nCLASS=container\nLEADER=77\n")
    try tree.put("run/systemd/machines/big", "NAME=big\nCLASS=vm\nLEADER=1\n")
    try tree.put("var/lib/machines/image.raw", "")
    try tree.put("var/lib/lxc/lx/config", "")
    try tree.put("var/snap/lxd/common/lxd/containers/snap/x", "")
    var survey = ContainerSurvey(root: tree.root.path)
    #expect(survey.found.isEmpty)
    for (name, words) in [
      ("old", "'docker start old'"), (String(Self.other.prefix(12)), "docker start"),
      ("box", "'podman start box'"), ("gone", "'machinectl start gone'"),
      ("image", "'machinectl start image'"), ("lx", "'lxc-start -n lx'"),
      ("snap", "'lxc start snap'"), ("big", "virtual machine"),
    ] {
      #expect(survey.stopped(name)?.contains(words) == true, "\(name)")
    }
    #expect(survey.stopped("nobody") == nil && survey.stopped("../lxc/lx") == nil)
  }

  @Test func dockerPod() throws {
    let tree = Tree()
    try docker(
      tree, Self.id,
      #"{"State":{"Running":true,"Pid":5},"Name":"/k8s_POD_front_shop_1_0","Config":{"Labels":{"io.kubernetes.pod.name":"front","io.kubernetes.pod.namespace":"shop"}}}"#,
      under: "var/lib/docker")
    try tree.process(5, group: "/kubepods/\(Self.id)")
    let pod = try #require(tree.found.first)
    #expect(pod.isPod && pod.name == "shop/front" && pod.isCalled("front"))
    #expect(pod.description == "pod shop/front")
  }

  @Test func podman() throws {
    let tree = Tree()
    try tree.put(
      "var/lib/containers/storage/overlay-containers/containers.json",
      #"[{"id":"\#(Self.id)","names":["web"]},{"id":"\#(Self.other)","names":["gone"]}]"#)
    try tree.put(
      "run/containers/storage/overlay-containers/\(Self.id)/userdata/pidfile", "31")
    try tree.put(
      "run/containers/storage/overlay-containers/\(Self.id)/userdata/config.json", "{}")
    try tree.process(31)
    // Of a user without rights.
    try tree.put(
      "home/ann/.local/share/containers/storage/overlay-containers/containers.json",
      #"[{"id":"55","names":["lab"]}]"#)
    try tree.put("run/user/1000/containers/overlay-containers/55/userdata/pidfile", "32\n")
    try tree.process(32)
    #expect(tree.found.map(\.description) == ["podman container web", "podman container lab"])
    #expect(tree.found.map(\.path) == ["/proc/31/ns/net", "/proc/32/ns/net"])
  }

  /// CRI-O's pods have a process that holds the namespace, or the namespace is mounted and the pod has none.
  @Test func crio() throws {
    let tree = Tree()
    let run = "run/containers/storage/overlay-containers"
    try tree.put(
      "var/lib/containers/storage/overlay-containers/containers.json",
      #"[{"id":"a1","names":["k8s_POD_front"]},{"id":"b2","names":["k8s_POD_back"]},{"id":"c3","names":["k8s_app"]}]"#
    )
    func notes(_ pod: String, _ kind: String) -> String {
      #"{"io.kubernetes.cri-o.ContainerType":"\#(kind)","io.kubernetes.cri-o.KubeName":"\#(pod)","io.kubernetes.cri-o.Namespace":"shop"}"#
    }
    try tree.put(
      "\(run)/a1/userdata/config.json", #"{"annotations":\#(notes("front", "sandbox"))}"#)
    try tree.put("\(run)/a1/userdata/pidfile", "41")
    try tree.put(
      "\(run)/b2/userdata/config.json",
      #"{"annotations":\#(notes("back", "sandbox")),"linux":{"namespaces":[{"type":"pid"},{"type":"network","path":"/var/run/netns/77"}]}}"#
    )
    try tree.put("var/run/netns/77", "")
    try tree.put(
      "\(run)/c3/userdata/config.json", #"{"annotations":\#(notes("app", "container"))}"#)
    try tree.put("\(run)/c3/userdata/pidfile", "43")
    for process in [41, 43] { try tree.process(process) }
    #expect(
      tree.found.map(\.description) == [
        "pod shop/front", "pod shop/back", "cri-o container k8s_app",
      ])
    #expect(
      tree.found.map(\.path) == ["/proc/41/ns/net", "/var/run/netns/77", "/proc/43/ns/net"])
  }

  @Test(arguments: ["run/containerd", "run/k3s/containerd"]) func containerd(state: String) throws {
    let tree = Tree()
    let tasks = "\(state)/io.containerd.runtime.v2.task"
    try tree.put("\(tasks)/k8s.io/a1/init.pid", "51")
    try tree.put(
      "\(tasks)/k8s.io/a1/config.json",
      #"{"annotations":{"io.kubernetes.cri.container-type":"sandbox","io.kubernetes.cri.sandbox-name":"front","io.kubernetes.cri.sandbox-namespace":"shop"}}"#
    )
    try tree.put("\(tasks)/k8s.io/b2/init.pid", "52")
    try tree.put(
      "\(tasks)/k8s.io/b2/config.json",
      #"{"annotations":{"io.kubernetes.cri.container-type":"container","io.kubernetes.cri.container-name":"app"}}"#
    )
    try tree.put("\(tasks)/default/c3/init.pid", "53")
    try tree.put("var/lib/nerdctl/1935db59/names/default/web", "c3")
    // Docker's own are found by their names.
    try tree.put("\(tasks)/moby/d4/init.pid", "54")
    for process in 51...54 { try tree.process(process) }
    #expect(
      tree.found.map(\.description) == [
        "containerd container web", "pod shop/front", "containerd container app",
      ])
  }

  @Test func machines() throws {
    let tree = Tree()
    try tree.put(
      "run/systemd/machines/web",
      "# This is private data. Do not parse.\nNAME=web\nCLASS=container\nLEADER=61\nNETIF=7\n")
    try tree.put("run/systemd/machines/vm", "NAME=vm\nCLASS=vm\nLEADER=62\n")
    try tree.put("run/systemd/machines/unit:systemd-nspawn@web.service", "NAME=web\nLEADER=61\n")
    for process in [61, 62] { try tree.process(process) }
    #expect(
      tree.found == [Container(engine: "machinectl", name: "web", path: "/proc/61/ns/net")])
  }

  @Test(arguments: [
    ("/var/lib/lxc", "lxc"), ("/var/snap/lxd/common/lxd/containers", "lxd"),
    ("/var/lib/incus/containers", "incus"),
  ])
  func monitors(home: String, engine: String) throws {
    let tree = Tree()
    try tree.put(home.dropFirst() + "/web/config", "")
    try tree.put("proc/70/cmdline", "[lxc monitor] \(home) web\0\0\0")
    try tree.put("proc/70/task/70/children", "71 ")
    try tree.put("proc/80/cmdline", "bash\0")
    #expect(tree.found == [Container(engine: engine, name: "web", path: "/proc/71/ns/net")])
  }

  @Test func nothing() {
    #expect(Tree().found.isEmpty)
    #expect(ContainerSurvey(root: "/nowhere").found.isEmpty)
  }

  /// What is damaged is passed over.
  @Test func damage() throws {
    let tree = Tree()
    try docker(tree, Self.id, "{", under: "var/lib/docker")
    try docker(tree, Self.other, #"{"State":{"Running":true,"Pid":"x"}}"#, under: "var/lib/docker")
    try tree.put("var/lib/containers/storage/overlay-containers/containers.json", "{}")
    try tree.put("run/systemd/machines/web", "LEADER=-5\n")
    try tree.put("run/containerd/io.containerd.runtime.v2.task/default/x/init.pid", "abc")
    #expect(tree.found.isEmpty)
  }

  // MARK: Names

  private static let search = NamespaceSearch(
    names: ["blue", "webs"],
    containers: [
      Container(engine: "docker", name: "web", otherNames: [id], path: "/proc/1/ns/net"),
      Container(engine: "podman", name: "web", otherNames: [other], path: "/proc/2/ns/net"),
      Container(engine: "podman", name: "db", otherNames: ["x"], path: "/proc/3/ns/net"),
      Container(
        engine: "containerd", name: "shop/front", otherNames: ["front"], path: "/proc/4/ns/net",
        isPod: true),
      Container(
        engine: "containerd", name: "test/front", otherNames: ["front"], path: "/proc/5/ns/net",
        isPod: true),
      Container(engine: "containerd", name: "nginx", path: "/proc/4/ns/net"),
      Container(engine: "containerd", name: "nginx", path: "/proc/4/ns/net"),
    ])

  @Test func oneIsMeant() {
    #expect(Self.search.container("db") == .path("/proc/3/ns/net"))
    #expect(Self.search.container("shop/front") == .path("/proc/4/ns/net"))
    // By an id, or its beginning as engines show it; not by two letters of it.
    #expect(Self.search.container(Self.id) == .path("/proc/1/ns/net"))
    #expect(Self.search.container(String(Self.other.prefix(12))) == .path("/proc/2/ns/net"))
    #expect(Self.search.container(String(Self.id.prefix(2))) == .none(nearly: []))
    // Several in one namespace are one.
    #expect(Self.search.container("nginx") == .path("/proc/4/ns/net"))
  }

  @Test func severalAreMeant() {
    #expect(
      Self.search.container("web") == .several(Array(Self.search.containers.prefix(2))))
    guard case .several(let pods) = Self.search.container("front") else {
      Issue.record("one of two pods was taken")
      return
    }
    #expect(pods.map(\.name) == ["shop/front", "test/front"])
  }

  @Test func noneIsMeant() {
    #expect(Self.search.container("wep") == .none(nearly: ["web"]))
    #expect(Self.search.container("shop/fornt") == .none(nearly: ["shop/front"]))
    #expect(Self.search.container("WEB") == .none(nearly: ["web", "webs"]))
    #expect(Self.search.container("completely-else") == .none(nearly: []))
  }
}
