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
#include <linux/if_packet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/magic.h>
#include <linux/netlink.h>
#include <linux/nsfs.h>
#include <linux/rtnetlink.h>

#include <libmnl/libmnl.h>
#include <libnetfilter_log/libnetfilter_log.h>
#include <libnftnl/batch.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <nftables/libnftables.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <spawn.h>
#include <string.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

// open is variadic, and Swift imports no variadic functions.
static inline int nftrace_open(const char *path, int flags, mode_t mode) {
  return open(path, flags, mode);
}

// d_name is an array of 256 characters: Swift sees a tuple.
static inline const char *nftrace_entry_name(const struct dirent *entry) { return entry->d_name; }

// setns and unshare are declared for _GNU_SOURCE only, which Swift's importer does not set.
static const int nftrace_clone_newnet = 0x40000000;  // CLONE_NEWNET, for the same reason
int setns(int fd, int nstype);
int unshare(int flags);

// The CLONE_NEW… type of a namespace file, -1 for any other file (ioctl is variadic). The file
// system is looked at first: to another file the same ioctl may mean something else.
static inline int nftrace_namespace_type(int fd) {
  struct statfs info;
  if (fstatfs(fd, &info) != 0 || info.f_type != NSFS_MAGIC) return -1;
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

// ioctl is variadic.
static inline int nftrace_tun_persist(int fd, int on) { return ioctl(fd, TUNSETPERSIST, on); }

// ioctl is variadic, which Swift does not call.
static inline int nftrace_window_size(int fd, struct winsize *size) {
  return ioctl(fd, TIOCGWINSZ, size);
}
