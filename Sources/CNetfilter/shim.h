// The netfilter libraries and kernel headers as one Clang module: the libraries and the kernel
// define the same enums behind one guard, so the order of these includes matters.
#pragma once

// Before the kernel headers: without it they declare in6_addr and its kin a second time.
#include <netinet/in.h>

// Before the libraries: it has NFNLGRP_NFTRACE; libnfnetlink's older copy, behind the same guard, has not.
#include <linux/netfilter/nfnetlink.h>

// Before any <linux/if.h>: both define struct ifreq, and Swift's Glibc module has this one.
#include <net/if.h>
#include <linux/if_tun.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/magic.h>
#include <linux/netlink.h>
#include <linux/nsfs.h>
#include <linux/rtnetlink.h>

#include <libmnl/libmnl.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <libnetfilter_log/libnetfilter_log.h>
#include <libnftnl/batch.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/trace.h>
#include <nftables/libnftables.h>

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>

#include <string.h>
#include <signal.h>
#include <spawn.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

// glibc has O_TMPFILE with _GNU_SOURCE alone, which Swift's importer does not define.
static const int nftrace_o_tmpfile = __O_TMPFILE;

// open is variadic, and Swift imports no variadic functions.
static inline int nftrace_open(const char *path, int flags, mode_t mode) {
  return open(path, flags, mode);
}

// openat is variadic.
static inline int nftrace_openat(int directory, const char *path, int flags, mode_t mode) {
  return openat(directory, path, flags, mode);
}

// fcntl is variadic, too.
static inline bool nftrace_is_closed(int descriptor) {
  return fcntl(descriptor, F_GETFD) < 0 && errno == EBADF;
}

// d_name is an array of 256 characters: Swift sees a tuple.
static inline const char *nftrace_entry_name(const struct dirent *entry) { return entry->d_name; }

// setns and unshare are declared for _GNU_SOURCE only, which Swift's importer does not set.
static const int nftrace_clone_newnet = 0x40000000;  // CLONE_NEWNET, for the same reason
static const int nftrace_clone_newuser = 0x10000000;  // CLONE_NEWUSER
static const int nftrace_clone_newns = 0x00020000;  // CLONE_NEWNS
int setns(int fd, int nstype);
int unshare(int flags);

// The CLONE_NEW… type of a namespace file; -1 and ENOTTY for any other file (ioctl is variadic). The file
// system is looked at first: to another file the same ioctl may mean something else.
static inline int nftrace_namespace_type(int fd) {
  struct statfs info;
  if (fstatfs(fd, &info) != 0) return -1;
  if (info.f_type != NSFS_MAGIC) {
    errno = ENOTTY;
    return -1;
  }
  return ioctl(fd, NS_GET_NSTYPE);
}

// The inode number of an open file, 0 on failure: spares Swift a struct stat to initialise.
static inline unsigned long long nftrace_inode(int fd) {
  struct stat info;
  return fstat(fd, &info) == 0 ? info.st_ino : 0;
}

// Struct ifreq is a pair of unions, and ioctl is variadic. `name` holds IFNAMSIZ octets and receives
// the name the kernel chose.
static inline int nftrace_tun_attach(int fd, char *name, short flags) {
  struct ifreq request;
  memset(&request, 0, sizeof request);
  memcpy(request.ifr_name, name, IFNAMSIZ);
  request.ifr_flags = flags;
  int result = ioctl(fd, TUNSETIFF, &request);
  memcpy(name, request.ifr_name, IFNAMSIZ);
  return result;
}

// Since Linux 6.2, and so missing in older headers.
#ifndef IFF_NO_CARRIER
#define IFF_NO_CARRIER 0x0040
#endif

// The flags that TUNSETIFF knows here, 0 on failure.
static inline unsigned nftrace_tun_features(int fd) {
  unsigned features = 0;
  return ioctl(fd, TUNGETFEATURES, &features) == 0 ? features : 0;
}

// ioctl is variadic, and wants the address of the value.
static inline int nftrace_tun_carrier(int fd, int on) { return ioctl(fd, TUNSETCARRIER, &on); }

// The octets of the virtio_net_hdr before each packet, -1 on failure.
static inline int nftrace_tun_header_size(int fd) {
  int size = 0;
  return ioctl(fd, TUNGETVNETHDRSZ, &size) == 0 ? size : -1;
}

// ioctl is variadic.
static inline int nftrace_tun_persist(int fd, int on) { return ioctl(fd, TUNSETPERSIST, on); }

// ioctl is variadic, which Swift does not call.
static inline int nftrace_window_size(int fd, struct winsize *size) {
  return ioctl(fd, TIOCGWINSZ, size);
}

// The cookie of the network namespace the thread is in: unlike the inode number it is never given to
// another one before the next boot. 0 where the kernel (before 5.14) has none. Returns 0 or an errno.
// The option's number is newer than some C libraries.
static inline int nftrace_namespace_cookie(unsigned long long *cookie) {
  socklen_t size = sizeof *cookie;
  *cookie = 0;
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  int error =
      getsockopt(fd, SOL_SOCKET, 71 /* SO_NETNS_COOKIE */, cookie, &size) == 0 ? 0 : errno;
  close(fd);
  return error == ENOPROTOOPT ? 0 : error;
}

// How many datagrams the kernel had no room for in a socket's queue, modulo 2^32. The option and what
// it fills are in headers that clash with the C library's.
static inline unsigned int nftrace_socket_drops(int fd) {
  unsigned int info[9] = {0};  // SK_MEMINFO_…, of which 8 is SK_MEMINFO_DROPS
  socklen_t size = sizeof info;
  if (getsockopt(fd, SOL_SOCKET, 55 /* SO_MEMINFO */, info, &size) != 0) return 0;
  return info[8];
}

// Receives what is there, in so many pieces of the buffer at most, a datagram each; their lengths go to `lengths`, more
// than `room` for one that was cut. Returns how many they were, or -1 and an errno. In C because glibc declares recvmmsg
// with _GNU_SOURCE alone, which Swift's importer does not define.
static inline int nftrace_receive_several(
    int fd, void *buffer, unsigned int pieces, size_t room, unsigned int *lengths) {
  enum { MOST = 16 };
  if (pieces > MOST) pieces = MOST;
  struct {
    struct msghdr header;
    unsigned int length;
  } messages[MOST] = {0};  // struct mmsghdr
  struct iovec places[MOST];
  for (unsigned int i = 0; i < pieces; i++) {
    places[i].iov_base = (char *)buffer + i * room;
    places[i].iov_len = room;
    messages[i].header.msg_iov = &places[i];
    messages[i].header.msg_iovlen = 1;
  }
  int count = (int)syscall(SYS_recvmmsg, fd, messages, pieces, MSG_DONTWAIT | MSG_TRUNC, NULL);
  for (int i = 0; i < count; i++) lengths[i] = messages[i].length;
  return count;
}

// Has a socket refuse whatever is sent to it from now on; what is in its queue stays.
static inline int nftrace_socket_refuse(int fd) {
  struct sock_filter refuse = {BPF_RET | BPF_K, 0, 0, 0};
  struct sock_fprog program = {1, &refuse};
  return setsockopt(fd, SOL_SOCKET, 26 /* SO_ATTACH_FILTER */, &program, sizeof program);
}

// Starts a program in a session of its own, with `input` as its standard input, `output` and `errors`
// as its standard output and error (or /dev/null where that is negative), nothing else open, and the
// signals that end a command blocked. Returns 0 or an errno. In C because
// the flag and the closing of the rest are GNU extensions that Swift does not import.
static inline int nftrace_spawn_detached(
    const char *path, char *const arguments[], int input, int output, int errors,
    pid_t *process) {
  extern char **environ;
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  int error = posix_spawn_file_actions_init(&actions);
  if (error != 0) return error;
  error = posix_spawnattr_init(&attributes);
  if (error != 0) {
    posix_spawn_file_actions_destroy(&actions);
    return error;
  }
  sigset_t defaults, blocked;
  sigfillset(&defaults);
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGINT);
  sigaddset(&blocked, SIGTERM);
  sigaddset(&blocked, SIGHUP);
  sigaddset(&blocked, SIGQUIT);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setsigmask(&attributes, &blocked);
  posix_spawnattr_setflags(
      &attributes,
      0x80 /* POSIX_SPAWN_SETSID */ | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  error = posix_spawn_file_actions_adddup2(&actions, input, 0);
  if (error == 0) {
    error = output >= 0
        ? posix_spawn_file_actions_adddup2(&actions, output, 1)
        : posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  }
  if (error == 0) {
    error = errors >= 0
        ? posix_spawn_file_actions_adddup2(&actions, errors, 2)
        : posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  }
  if (error == 0) error = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  if (error == 0) error = posix_spawn(process, path, &actions, &attributes, arguments, environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

// A GNU extension, too: nothing where the program has more rights than who started it (AT_SECURE).
char *secure_getenv(const char *name);
static inline int nftrace_is_secure(void) { return getauxval(AT_SECURE) != 0; }

// fcntl is variadic.
static inline int nftrace_file_flags(int file) { return fcntl(file, F_GETFL); }
static inline int nftrace_duplicate(int file) { return fcntl(file, F_DUPFD_CLOEXEC, 0); }
static inline int nftrace_set_file_flags(int file, int flags) {
  return fcntl(file, F_SETFL, flags);
}

// An open file description's lock (fcntl(2), F_OFD_SETLK), which ends with it: fcntl is variadic. Who
// looks whether it is there (F_OFD_GETLK) needs no right to write.
static inline int nftrace_mark_held(int file) {
  struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
  return fcntl(file, 37 /* F_OFD_SETLK */, &lock);
}
static inline int nftrace_is_held(int file) {
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
  if (fcntl(file, 36 /* F_OFD_GETLK */, &lock) != 0) return -1;
  return lock.l_type != F_UNLCK;
}

// pipe2 is a GNU extension, which Swift's importer leaves out.
int pipe2(int ends[2], int flags);
static inline int nftrace_pipe(int *ends) { return pipe2(ends, O_CLOEXEC); }

// A GNU extension.
void closefrom(int first);

// Makes a copy of this process, with its rights and namespaces as they are now, which has nothing of ours
// open but `*end`, one of two ends of a connection, and these files, as 4 and on. It is not ended by what ends a
// command. Returns its process id, 0 in the copy, or -1 with errno set. To be called while there is one thread. In C
// because Swift keeps its programs from fork().
static inline pid_t nftrace_fork_with(const int *files, int count, int *end) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return -1;
  // Who is stopped, or very slow, is not waited for.
  struct timeval patience = {.tv_sec = 2};
  setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  pid_t process = fork();
  if (process != 0) {
    int error = errno;
    close(ends[1]);
    if (process < 0) close(ends[0]);
    else *end = ends[0];
    errno = error;
    return process;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
  for (int i = 0; i < 5; i++) signal(ignored[i], SIG_IGN);
  int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int standard = 0; standard < 3; standard++) dup2(nothing, standard);
  // Out of the way of the numbers that they are to have.
  int connection = fcntl(ends[1], F_DUPFD, 4 + count);
  int moved[count + 1];
  for (int i = 0; i < count; i++) moved[i] = fcntl(files[i], F_DUPFD, 4 + count);
  dup2(connection, 3);
  for (int i = 0; i < count; i++) dup2(moved[i], 4 + i);
  closefrom(4 + count);
  *end = 3;
  return 0;
}

// Has the kernel end this process when its parent ends.
static inline void nftrace_end_with_parent(void) { prctl(PR_SET_PDEATHSIG, SIGKILL); }

// Another descriptor of the same file; fcntl is variadic.
static inline int nftrace_dup(int file) { return fcntl(file, F_DUPFD_CLOEXEC, 3); }

// Starts a program in the foreground: it has our standard streams, the default actions of the signals
// that we may have blocked or ignored, and nothing else of ours. Found by its PATH. Returns 0 or an
// errno. In C for the same reason as nftrace_spawn_detached.
static inline int nftrace_spawn_foreground(
    const char *path, char *const arguments[], pid_t *process) {
  extern char **environ;
  posix_spawnattr_t attributes;
  int error = posix_spawnattr_init(&attributes);
  if (error != 0) return error;
  sigset_t signals;
  sigemptyset(&signals);
  error = posix_spawnattr_setsigmask(&attributes, &signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGHUP);
  sigaddset(&signals, SIGQUIT);
  sigaddset(&signals, SIGPIPE);
  sigaddset(&signals, SIGXFSZ);
  if (error == 0) error = posix_spawnattr_setsigdefault(&attributes, &signals);
  if (error == 0) {
    error = posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  if (error == 0) error = posix_spawnp(process, path, 0, &attributes, arguments, environ);
  posix_spawnattr_destroy(&attributes);
  return error;
}

// Starts a program, found by PATH, that reads and writes one stream and complains into another, in a process group of its
// own: what a terminal sends to the foreground is not for it. It is told to end when the thread that starts it does, however
// that ends, which posix_spawn has no way to ask for. Returns an errno.
static inline int nftrace_spawn_connected(
    const char *path, char *const arguments[], int stream, int errors, pid_t *process) {
  int report[2];
  if (pipe2(report, O_CLOEXEC) != 0) return errno;
  sigset_t all, before;
  sigfillset(&all);
  // No handler of ours is to run in the copy.
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t parent = getpid();
  pid_t child = fork();
  if (child == 0) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(127);
    for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    int error = 0;
    if (dup2(stream, 0) < 0 || dup2(stream, 1) < 0 || dup2(errors, 2) < 0 ||
        execvp(path, arguments) != 0) {
      error = errno;
    }
    ssize_t written = write(report[1], &error, sizeof error);
    _exit(written > 0 ? 127 : 126);
  }
  int error = child < 0 ? errno : 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  close(report[1]);
  if (child > 0) {
    ssize_t count;
    do count = read(report[0], &error, sizeof error);
    while (count < 0 && errno == EINTR);
    if (count <= 0) error = 0;
    if (error != 0) waitpid(child, NULL, 0);
    *process = child;
  }
  close(report[0]);
  return error;
}

// Two connected sockets; the type is an enum in C, and the flags no part of it.
static inline int nftrace_socket_pair(int *ends) {
  return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
}

// A descriptor that can be read when the process has ended; syscall is variadic.
static inline int nftrace_pidfd(pid_t process) { return (int)syscall(SYS_pidfd_open, process, 0); }

// Sends a signal to the process of such a descriptor, and to no later one with its number.
static inline int nftrace_pidfd_signal(int file, int number) {
  return (int)syscall(SYS_pidfd_send_signal, file, number, 0, 0);
}

// The macros that take a wait status apart. The exit code, or 128 and the signal as a shell has it.
static inline int nftrace_exit_code(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// Starts a program whose standard output is `output` and whose other streams are /dev/null, with the
// default actions of signals. Returns 0 or an errno. In C for the same reason.
static inline int nftrace_spawn_reader(
    const char *path, char *const arguments[], int output, pid_t *process) {
  extern char **environ;
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  int error = posix_spawn_file_actions_init(&actions);
  if (error != 0) return error;
  error = posix_spawnattr_init(&attributes);
  if (error != 0) {
    posix_spawn_file_actions_destroy(&actions);
    return error;
  }
  sigset_t signals;
  sigemptyset(&signals);
  error = posix_spawnattr_setsigmask(&attributes, &signals);
  if (error == 0) error = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  if (error == 0) error = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  if (error == 0) error = posix_spawn_file_actions_adddup2(&actions, output, 1);
  if (error == 0) error = posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  if (error == 0) error = posix_spawn(process, path, &actions, &attributes, arguments, environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

// The C library has no bpf(2), and Swift cannot fill in union bpf_attr, a union of unnamed structs.
// All of these return a descriptor or 0, and -1 with errno set, as the system call does.

static inline int nftrace_bpf(int command, union bpf_attr *attributes) {
  return (int)syscall(SYS_bpf, command, attributes, sizeof *attributes);
}

static inline unsigned long long nftrace_address(const void *pointer) {
  return (unsigned long long)(unsigned long)pointer;
}

static inline int nftrace_bpf_map(unsigned type, unsigned key, unsigned value, unsigned entries,
                                  unsigned flags) {
  union bpf_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.map_type = type;
  attributes.key_size = key;
  attributes.value_size = value;
  attributes.max_entries = entries;
  attributes.map_flags = flags;
  return nftrace_bpf(BPF_MAP_CREATE, &attributes);
}

// Reads the first value of an array map, or writes it.
static inline int nftrace_bpf_value(int map, int write, void *value) {
  unsigned key = 0;
  union bpf_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.map_fd = map;
  attributes.key = nftrace_address(&key);
  attributes.value = nftrace_address(value);
  return nftrace_bpf(write ? BPF_MAP_UPDATE_ELEM : BPF_MAP_LOOKUP_ELEM, &attributes);
}

// Writes the name of the program with this number, BPF_OBJ_NAME_LEN octets; -1 and errno where it is
// not to be had.
static inline int nftrace_bpf_program_name(unsigned id, char *name) {
  union bpf_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.prog_id = id;
  int program = nftrace_bpf(BPF_PROG_GET_FD_BY_ID, &attributes);
  if (program < 0) return -1;
  struct bpf_prog_info info;
  memset(&info, 0, sizeof info);
  memset(&attributes, 0, sizeof attributes);
  attributes.info.bpf_fd = program;
  attributes.info.info_len = sizeof info;
  attributes.info.info = (uintptr_t)&info;
  int status = nftrace_bpf(BPF_OBJ_GET_INFO_BY_FD, &attributes);
  int code = errno;
  close(program);
  errno = code;
  if (status == 0) memcpy(name, info.name, BPF_OBJ_NAME_LEN);
  return status;
}

// How many programs there are at a hook of an interface that tc(8) does not list (tcx, Linux 6.6): BPF_TCX_INGRESS of
// newer headers is 46, BPF_TCX_EGRESS 47. -1 and errno where nobody may ask, or older kernels do not know.
static inline int nftrace_bpf_tcx(unsigned index, unsigned hook) {
  union bpf_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.query.target_fd = index;
  attributes.query.attach_type = hook;
  if (nftrace_bpf(BPF_PROG_QUERY, &attributes) != 0) return -1;
  return (int)attributes.query.prog_cnt;
}

static inline int nftrace_bpf_tcx_egress(unsigned index) { return nftrace_bpf_tcx(index, 47); }

static inline int nftrace_bpf_freeze(int map) {
  union bpf_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.map_fd = map;
  return nftrace_bpf(BPF_MAP_FREEZE, &attributes);
}

// `log` may be empty: the verifier then says nothing.
static inline int nftrace_bpf_program(unsigned type, const void *instructions, unsigned count,
                                      const char *license, char *log, unsigned log_size) {
  union bpf_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.prog_type = type;
  attributes.insns = nftrace_address(instructions);
  attributes.insn_cnt = count;
  attributes.license = nftrace_address(license);
  attributes.log_buf = log_size ? nftrace_address(log) : 0;
  attributes.log_size = log_size;
  attributes.log_level = log_size ? 1 : 0;
  return nftrace_bpf(BPF_PROG_LOAD, &attributes);
}

static inline int nftrace_bpf_raw_tracepoint(const char *name, int program) {
  union bpf_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.raw_tracepoint.name = nftrace_address(name);
  attributes.raw_tracepoint.prog_fd = program;
  return nftrace_bpf(BPF_RAW_TRACEPOINT_OPEN, &attributes);
}

// Runs a SCHED_CLS program once, with one frame as its data. Returns what the program returned, in *result,
// and 0; or -1 and an errno.
static inline int nftrace_run_classifier(int program, const void *frame, unsigned size, int *result) {
  union bpf_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.test.prog_fd = program;
  attributes.test.data_in = nftrace_address(frame);
  attributes.test.data_size_in = size;
  attributes.test.repeat = 1;
  int failed = nftrace_bpf(BPF_PROG_TEST_RUN, &attributes);
  *result = (int)attributes.test.retval;
  return failed;
}

// A socket of a user's: who opened a socket's file is what rules for owners ask. -1 is the caller itself.
static inline int nftrace_socket_of(long user, int family, int type, int protocol) {
  if (user < 0) return socket(family, type, protocol);
  int before = setfsuid((uid_t)user);
  if (setfsuid((uid_t)-1) != (int)(uid_t)user) {
    errno = EPERM;
    return -1;
  }
  int number = socket(family, type, protocol);
  int failed = errno;
  setfsuid((uid_t)before);
  errno = failed;
  return number;
}

// The first address of a name, of the family, or of any for 0: its octets. Returns the family; or 0, and what
// getaddrinfo says of it.
static inline int nftrace_lookup(
    const char *name, int family, unsigned char *octets, const char **failure) {
  struct addrinfo wish, *found;
  memset(&wish, 0, sizeof wish);
  wish.ai_family = family;
  wish.ai_socktype = SOCK_DGRAM;
  int code = getaddrinfo(name, NULL, &wish, &found);
  if (code != 0) {
    *failure = gai_strerror(code);
    return 0;
  }
  family = found->ai_family;
  if (family == AF_INET) {
    memcpy(octets, &((struct sockaddr_in *)found->ai_addr)->sin_addr, 4);
  } else if (family == AF_INET6) {
    memcpy(octets, &((struct sockaddr_in6 *)found->ai_addr)->sin6_addr, 16);
  }
  freeaddrinfo(found);
  return family;
}

// The port of a service of this name, with a protocol; -1 if there is none.
static inline int nftrace_service(const char *name, const char *protocol) {
  struct servent *entry = getservbyname(name, protocol);
  return entry ? ntohs((uint16_t)entry->s_port) : -1;
}

// A socket of a process in the control group whose "cgroup.procs" is open, as the rules' "socket cgroupv2" and
// "meta cgroup" see it: a child makes it, which joins the group and ends. -1 and an errno.
static inline int nftrace_socket_in(int procs, long user, int family, int type, int protocol) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return -1;
  pid_t child = fork();
  if (child < 0) {
    int failed = errno;
    close(ends[0]);
    close(ends[1]);
    errno = failed;
    return -1;
  }
  union {
    struct cmsghdr header;
    char octets[CMSG_SPACE(sizeof(int))];
  } control;
  int code = 0;
  struct iovec data = {&code, sizeof code};
  struct msghdr message;
  memset(&message, 0, sizeof message);
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  if (child == 0) {
    int number = -1;
    if (write(procs, "0", 1) != 1 ||
        (number = nftrace_socket_of(user, family, type, protocol)) < 0) {
      code = errno;
    } else {
      memset(&control, 0, sizeof control);
      message.msg_control = control.octets;
      message.msg_controllen = sizeof control.octets;
      control.header.cmsg_level = SOL_SOCKET;
      control.header.cmsg_type = SCM_RIGHTS;
      control.header.cmsg_len = CMSG_LEN(sizeof number);
      memcpy(CMSG_DATA(&control.header), &number, sizeof number);
    }
    (void)!sendmsg(ends[1], &message, MSG_NOSIGNAL);
    _exit(0);
  }
  close(ends[1]);
  message.msg_control = control.octets;
  message.msg_controllen = sizeof control.octets;
  code = EPIPE;
  ssize_t count;
  do count = recvmsg(ends[0], &message, MSG_CMSG_CLOEXEC);
  while (count < 0 && errno == EINTR);
  close(ends[0]);
  while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
  struct cmsghdr *header = count > 0 ? CMSG_FIRSTHDR(&message) : NULL;
  int number = -1;
  if (header && header->cmsg_type == SCM_RIGHTS) {
    memcpy(&number, CMSG_DATA(header), sizeof number);
    return number;
  }
  errno = code ? code : EPIPE;
  return -1;
}

// The number of a user of this name; -1 if there is none.
static inline long nftrace_user(const char *name) {
  struct passwd *entry = getpwnam(name);
  return entry ? (long)entry->pw_uid : -1;
}

// A socket that sees all frames of an interface, those it sends as well; -1 and an errno.
static inline int nftrace_packet_socket(unsigned index) {
  int number = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (number < 0) return -1;
  struct sockaddr_ll address;
  memset(&address, 0, sizeof address);
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = (int)index;
  if (bind(number, (struct sockaddr *)&address, sizeof address) == 0) return number;
  int failed = errno;
  close(number);
  errno = failed;
  return -1;
}

// A packet socket that hears what comes in by any interface of the calling thread's network namespace; -1 and an errno.
static inline int nftrace_world_socket(void) {
  int number = nftrace_packet_socket(0);
  int on = 1;
  // Linux 4.20: what is sent is not heard. Before that it is left out when it is read.
  if (number >= 0) setsockopt(number, SOL_PACKET, 23, &on, sizeof on);
  if (number >= 0) setsockopt(number, SOL_PACKET, PACKET_AUXDATA, &on, sizeof on);
  return number;
}

// The next frame that came in by any interface: how many octets, and by which; -1 where there is none. The tag of a VLAN,
// which the kernel has apart, is where it was.
static inline ssize_t nftrace_receive_frame(
    int number, unsigned char *octets, size_t room, unsigned *interface) {
  for (;;) {
    struct sockaddr_ll address;
    struct iovec buffer = {octets, room};
    union {
      struct cmsghdr header;
      char room[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
    } control;
    struct msghdr message = {
        .msg_name = &address, .msg_namelen = sizeof address, .msg_iov = &buffer, .msg_iovlen = 1,
        .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t count = recvmsg(number, &message, MSG_DONTWAIT);
    if (count < 0) return count;
    if (address.sll_pkttype == PACKET_OUTGOING) continue;
    *interface = (unsigned)address.sll_ifindex;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
      if (part->cmsg_level != SOL_PACKET || part->cmsg_type != PACKET_AUXDATA) continue;
      struct tpacket_auxdata data;
      memcpy(&data, CMSG_DATA(part), sizeof data);
      if (!(data.tp_status & TP_STATUS_VLAN_VALID) || count < 12 || (size_t)count + 4 > room) continue;
      unsigned short kind = data.tp_status & TP_STATUS_VLAN_TPID_VALID ? data.tp_vlan_tpid : 0x8100;
      memmove(octets + 16, octets + 12, (size_t)count - 12);
      octets[12] = (unsigned char)(kind >> 8);
      octets[13] = (unsigned char)kind;
      octets[14] = (unsigned char)(data.tp_vlan_tci >> 8);
      octets[15] = (unsigned char)data.tp_vlan_tci;
      count += 4;
    }
    return count;
  }
}

// Sends a frame out of an interface.
static inline ssize_t nftrace_send_frame(
    int number, const unsigned char *octets, size_t count, unsigned interface) {
  struct sockaddr_ll address;
  memset(&address, 0, sizeof address);
  address.sll_family = AF_PACKET;
  address.sll_ifindex = (int)interface;
  return sendto(
      number, octets, count, MSG_DONTWAIT, (struct sockaddr *)&address, sizeof address);
}

// Whether the kernel takes a packet's protocol beside a packet that comes with its header (Linux 6.4). Before that
// rules of policy routing and policies of IPsec that choose by it are not met.
static inline int nftrace_takes_protocol(void) {
  int number = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (number < 0) return 0;
  int value;
  socklen_t size = sizeof value;
  // IP_PROTOCOL.
  int known = getsockopt(number, IPPROTO_IP, 52, &value, &size) == 0;
  close(number);
  return known;
}

// Sends a packet that comes with its header, and says its protocol beside it.
static inline ssize_t nftrace_send_packet(
    int number, const void *octets, size_t count, const struct sockaddr *to, socklen_t length,
    int protocol) {
  struct sockaddr_in6 named;
  struct iovec buffer = {(void *)octets, count};
  union {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int))];
  } control;
  struct msghdr message = {
      .msg_name = (void *)to, .msg_namelen = length, .msg_iov = &buffer, .msg_iovlen = 1};
  if (to->sa_family == AF_INET6 && length == sizeof named) {
    // What is a port elsewhere.
    memcpy(&named, to, length);
    named.sin6_port = htons((unsigned short)protocol);
    message.msg_name = &named;
  } else {
    memset(&control, 0, sizeof control);
    message.msg_control = &control;
    message.msg_controllen = sizeof control;
    control.header.cmsg_level = IPPROTO_IP;
    control.header.cmsg_type = 52;
    control.header.cmsg_len = CMSG_LEN(sizeof protocol);
    memcpy(CMSG_DATA(&control.header), &protocol, sizeof protocol);
  }
  return sendmsg(number, &message, 0);
}

// Sends a text to a datagram socket: at a path, or with "@" the abstract one of that name; -1 and an errno.
static inline int nftrace_notify(const char *to, const char *text) {
  struct sockaddr_un address;
  memset(&address, 0, sizeof address);
  size_t length = strlen(to);
  if (length >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, to, length);
  if (to[0] == '@') address.sun_path[0] = 0;
  int number = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (number < 0) return -1;
  socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
  ssize_t sent = sendto(
      number, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&address, size);
  int failed = errno;
  close(number);
  errno = failed;
  return sent < 0 ? -1 : 0;
}

// The positions of a BPF ring buffer lie in memory that the kernel writes at the same time: reading
// the producer's must come before reading the records, writing the consumer's after it.
static inline unsigned long nftrace_load_acquire(const void *position) {
  return __atomic_load_n((const unsigned long *)position, __ATOMIC_ACQUIRE);
}
static inline unsigned nftrace_load_length(const void *header) {
  return __atomic_load_n((const unsigned *)header, __ATOMIC_ACQUIRE);
}
static inline void nftrace_store_release(void *position, unsigned long value) {
  __atomic_store_n((unsigned long *)position, value, __ATOMIC_RELEASE);
}

// The C library has no capget and capset. Both are about the calling thread.
static inline int nftrace_capabilities(
    uint64_t *permitted, uint64_t *effective, uint64_t *inheritable) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {{0}};
  if (syscall(SYS_capget, &header, data) != 0) return -1;
  *permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
  *effective = data[0].effective | (uint64_t)data[1].effective << 32;
  *inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
  return 0;
}

static inline int nftrace_set_capabilities(
    uint64_t permitted, uint64_t effective, uint64_t inheritable) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {
      {(uint32_t)effective, (uint32_t)permitted, (uint32_t)inheritable},
      {(uint32_t)(effective >> 32), (uint32_t)(permitted >> 32), (uint32_t)(inheritable >> 32)}};
  return syscall(SYS_capset, &header, data) != 0 ? -1 : 0;
}

// prctl is variadic.
static inline int nftrace_no_new_privileges(void) {
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static inline int nftrace_drop_bounding(int capability) {
  return prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
}

// prctl is variadic. Up to 15 octets of a name.
static inline int nftrace_set_name(const char *name) { return prctl(PR_SET_NAME, name, 0, 0, 0); }

// libnftables is loaded when it is asked for, or 0 if there is none: with what it needs in turn, it
// would take a tenth of the time of a command that has no rule to quote.
static inline void *nftrace_libnftables(void) { return dlopen("libnftables.so.1", RTLD_LAZY); }

// Who runs nft commands, in the network namespace of the calling thread; 0 where there is no libnftables. It asks the
// kernel for rules there from now on, wherever the thread is by then.
static inline struct nft_ctx *nftrace_nft_open(void) {
  void *library = nftrace_libnftables();
  if (!library) return 0;
  __typeof__(&nft_ctx_new) load_nft_ctx_new =
      (__typeof__(&nft_ctx_new))dlsym(library, "nft_ctx_new");
  return load_nft_ctx_new ? load_nft_ctx_new(NFT_CTX_DEFAULT) : 0;
}

// The output of an nft command, with handles and without counters, for the caller to free; 0 if it
// failed. Whom it asks is gone afterwards.
static inline char *nftrace_nft(struct nft_ctx *context, const char *command) {
  void *library = nftrace_libnftables();
  if (!library || !context) return 0;
#define NFTRACE_LOAD(name) __typeof__(&name) load_##name = (__typeof__(&name))dlsym(library, #name)
  NFTRACE_LOAD(nft_ctx_free);
  NFTRACE_LOAD(nft_ctx_output_set_flags);
  NFTRACE_LOAD(nft_ctx_buffer_output);
  NFTRACE_LOAD(nft_ctx_buffer_error);
  NFTRACE_LOAD(nft_ctx_get_output_buffer);
  NFTRACE_LOAD(nft_run_cmd_from_buffer);
#undef NFTRACE_LOAD
  if (!load_nft_ctx_free || !load_nft_ctx_output_set_flags || !load_nft_ctx_buffer_output ||
      !load_nft_ctx_buffer_error || !load_nft_ctx_get_output_buffer ||
      !load_nft_run_cmd_from_buffer)
    return 0;
  char *text = 0;
  load_nft_ctx_output_set_flags(context, NFT_CTX_OUTPUT_HANDLE | NFT_CTX_OUTPUT_STATELESS);
  if (load_nft_ctx_buffer_output(context) == 0 && load_nft_ctx_buffer_error(context) == 0 &&
      load_nft_run_cmd_from_buffer(context, command) == 0) {
    const char *output = load_nft_ctx_get_output_buffer(context);
    if (output) text = strdup(output);
  }
  load_nft_ctx_free(context);
  return text;
}

// Loads a file as "nft -f" does. Returns 0, or what is wrong in nft's words, for the caller to free; an empty text where
// there is no libnftables.
static inline char *nftrace_nft_file(const char *path) {
  void *library = nftrace_libnftables();
  if (!library) return strdup("");
#define NFTRACE_LOAD(name) __typeof__(&name) load_##name = (__typeof__(&name))dlsym(library, #name)
  NFTRACE_LOAD(nft_ctx_new);
  NFTRACE_LOAD(nft_ctx_free);
  NFTRACE_LOAD(nft_ctx_buffer_output);
  NFTRACE_LOAD(nft_ctx_buffer_error);
  NFTRACE_LOAD(nft_ctx_get_error_buffer);
  NFTRACE_LOAD(nft_run_cmd_from_filename);
#undef NFTRACE_LOAD
  if (!load_nft_ctx_new || !load_nft_ctx_free || !load_nft_ctx_buffer_output ||
      !load_nft_ctx_buffer_error || !load_nft_ctx_get_error_buffer ||
      !load_nft_run_cmd_from_filename)
    return strdup("");
  struct nft_ctx *context = load_nft_ctx_new(NFT_CTX_DEFAULT);
  if (!context) return strdup("there is no memory for it");
  char *fault = 0;
  if (load_nft_ctx_buffer_output(context) != 0 || load_nft_ctx_buffer_error(context) != 0) {
    fault = strdup("there is no memory for it");
  } else if (load_nft_run_cmd_from_filename(context, path) != 0) {
    const char *text = load_nft_ctx_get_error_buffer(context);
    fault = strdup(text && *text ? text : "nft does not say what is wrong");
  }
  load_nft_ctx_free(context);
  return fault;
}
