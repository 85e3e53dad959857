/* load: N live viewers in one epoll thread, plus a meter of the server's CPU and memory.
 *
 *   load -m MODE -p PORT -u PATH [-n VIEWERS] [-r CONNECTS_PER_S] [-d SECONDS] [-w SETTLE_SECONDS]
 *        [-k SAMPLE_EVERY] [-P SERVER_PID[,PID..]] [-s STREAMS] [-l LABEL] [-x] [-q] [-o]
 *
 *   flv      GET PATH, endless HTTP body          (PATH e.g. /live/test.flv)
 *   ws       the same over WebSocket; the payload is not interpreted
 *   wsfmp4   fMP4 over WebSocket: a keyframe counts only after the init segments
 *   rtmp     PATH is app/stream
 *   hls      PATH is the playlist: poll it, fetch every new segment, one keep-alive connection each
 *   llhls    the same with blocking playlist reload and parts when the playlist offers them
 *   -s K     a '#' in PATH is replaced by viewer index modulo K (several streams)
 *   -q       llhls: wait for whole segments, and fetch nothing but playlists
 *   -o       llhls: delta updates where the playlist offers them
 *   -x       viewers take nothing more after their first keyframe; one that is closed comes back
 *
 * Only 127.0.0.1 is ever contacted; connections and run time are bounded by the arguments.
 * Streams published by pub carry a time mark in every video frame; delay and gaps are measured
 * on every SAMPLE_EVERY-th viewer (default 10), start-up times on all. Other viewers' bytes are
 * discarded in the kernel (MSG_TRUNC) so that this program costs little. One JSON line is printed.
 *
 * CPU of the server = sum over the pids, their descendants and all threads of the scheduler's
 * nanosecond run time (/proc/PID/task/TID/schedstat); user and system split from /proc/PID/stat.
 * On loopback the receiver's half of the TCP stack is charged to the sender.
 */
#define _GNU_SOURCE
#include "load.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Receive buffer of a stalled viewer, bytes: small, so that it is the server that feels the stall. */
#define STALLED_RCVBUF 65536

struct options opt = {.mode = FLV,
                      .viewers = 100,
                      .rate = 200,
                      .seconds = 10,
                      .settle = 3,
                      .every = 10,
                      .streams = 1,
                      .label = ""};
conn *viewers;
int in_window;
uint32_t *delays, *requests, *releases, *key_ages;
int ndelays, nrequests, nreleases, nsegments, nplaylists, nerrors, nclosed;

static int ep;
static uint8_t rb[1 << 18];

uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000ull + t.tv_nsec;
}
void put(conn *c, const void *b, int k) {
  if (send(c->fd, b, k, MSG_NOSIGNAL) != k) c->st = S_DEAD;
}
void dead(conn *c, int error) {
  if (c->fd >= 0) close(c->fd);
  c->fd = -1;
  c->st = S_DEAD;
  nclosed++;
  if (error) nerrors++;
}
void grow(conn *c, int need) {
  if (c->nbuf + need > c->cap) c->buf = realloc(c->buf, c->cap = (c->nbuf + need) * 2);
}
void viewer_path(const conn *c, char *o, int size) {
  const char *h = strchr(opt.path, '#');
  if (h) snprintf(o, size, "%.*s%d%s", (int)(h - opt.path), opt.path, c->idx % opt.streams, h + 1);
  else snprintf(o, size, "%s", opt.path);
}
static void arm(conn *c, int op, uint32_t events) {
  struct epoll_event e = {.events = events, .data.ptr = c};
  epoll_ctl(ep, op, c->fd, &e);
}
static void dial(conn *c) {
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (c->fd < 0) {
    c->st = S_DEAD;
    nerrors++;
    return;
  }
  int one = 1, small = STALLED_RCVBUF;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (opt.stall) setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  struct sockaddr_in a = {
      .sin_family = AF_INET, .sin_port = htons(opt.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (!c->t_conn) c->t_conn = now_ns();
  c->st = S_CONNECTING;
  if (connect(c->fd, (void *)&a, sizeof a) && errno != EINPROGRESS) {
    dead(c, 1);
    return;
  }
  arm(c, EPOLL_CTL_ADD, EPOLLOUT);
}
static void on_open(conn *c) {
  char p[512], b[1024];
  viewer_path(c, p, sizeof p);
  arm(c, EPOLL_CTL_MOD, EPOLLIN);
  switch (opt.mode) {
  case FLV:
    c->st = S_STREAM;
    put(c, b,
        snprintf(b, sizeof b,
                 "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUser-Agent: load\r\nAccept: */*\r\n\r\n", p,
                 opt.port));
    break;
  case WS:
  case WSFMP4:
    c->st = S_STREAM;
    put(c, b,
        snprintf(b, sizeof b,
                 "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Version: 13\r\n%sSec-WebSocket-Key: bG9hZHRvb2xsb2FkdG9vbA==\r\n\r\n",
                 p, opt.port, opt.mode == WSFMP4 ? "Sec-WebSocket-Protocol: onair.fmp4.v1\r\n" : ""));
    break;
  case RTMP: rtmp_open(c); break;
  case HLS: hls_open(c); break;
  }
}
/* The end of a stall test's connection: it comes back like a player would. */
static void again(conn *c) {
  nclosed++;
  close(c->fd);
  *c = (conn){.idx = c->idx, .sample = c->sample, .buf = c->buf, .cap = c->cap};
  dial(c);
}
static void closed(conn *c) {
  if (opt.mode == HLS) hls_closed(c);
  else if (opt.stall) again(c);
  else dead(c, in_window);
}
static void on_read(conn *c) {
  uint64_t t = 0;
  for (int loops = 0; c->fd >= 0 && loops < 8; loops++) {
    int quick = c->st == S_STREAM && !c->sample && c->t_key;
    ssize_t k =
        quick ? recv(c->fd, 0, 1 << 24, MSG_TRUNC | MSG_DONTWAIT) : recv(c->fd, rb, sizeof rb, MSG_DONTWAIT);
    if (k < 0) {
      if (errno == EAGAIN || errno == EINTR) return;
      if (opt.stall) again(c);
      else dead(c, 1);
      return;
    }
    if (k == 0) {
      closed(c);
      return;
    }
    if (!t) t = now_ns();
    c->bytes += k;
    if (in_window) c->wbytes += k;
    if (c->st == S_STREAM) {
      if (!c->t_first) c->t_first = t;
      if (!quick) scan(c, rb, k, t);
      if (opt.mode == RTMP) rtmp_ack(c);
      if (opt.stall && c->t_key) {
        c->st = S_STALLED;
        arm(c, EPOLL_CTL_MOD, EPOLLRDHUP);
        return;
      }
      if (quick || k < (ssize_t)sizeof rb) return;
    } else if (opt.mode == RTMP) rtmp_setup(c, rb, k);
    else if (opt.mode == HLS) hls_read(c, rb, k);
    if (c->st == S_DEAD && c->fd >= 0) {
      dead(c, 1);
      return;
    }
  }
}
static void on_event(conn *c, uint32_t events) {
  if (c->fd < 0) return;
  if (c->st == S_STALLED) {
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) again(c);
  } else if (c->st == S_CONNECTING) {
    int e = 0;
    socklen_t l = sizeof e;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &e, &l);
    if (e) dead(c, 1);
    else if (events & (EPOLLOUT | EPOLLHUP)) on_open(c);
  } else on_read(c);
}
static void poll_hls(int opened) {
  static uint64_t last;
  uint64_t t = now_ns();
  if (t - last < 5000000) return;
  last = t;
  for (int i = 0; i < opened; i++) {
    conn *c = &viewers[i];
    if (c->st != S_IDLE || c->h.due > t) continue;
    if (c->fd < 0) dial(c);
    else hls_next(c);
  }
}
static double cpu_seconds(void) {
  struct rusage r;
  getrusage(RUSAGE_SELF, &r);
  return r.ru_utime.tv_sec + r.ru_stime.tv_sec + (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}
static enum mode mode_of(const char *name) {
  static const struct {
    const char *name;
    enum mode mode;
  } all[] = {{"flv", FLV}, {"ws", WS}, {"wsfmp4", WSFMP4}, {"rtmp", RTMP}, {"hls", HLS}, {"llhls", HLS}};
  for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
    if (!strcmp(all[i].name, name)) return all[i].mode;
  fprintf(stderr, "load: no mode %s\n", name);
  exit(2);
}
static void options(int argc, char **argv) {
  int o;
  while ((o = getopt(argc, argv, "m:p:u:n:r:d:w:k:P:s:l:xqo")) != -1) switch (o) {
    case 'm':
      opt.mode = mode_of(optarg);
      opt.llhls = !strcmp(optarg, "llhls");
      break;
    case 'p': opt.port = atoi(optarg); break;
    case 'u': opt.path = optarg; break;
    case 'n': opt.viewers = atoi(optarg); break;
    case 'r': opt.rate = atoi(optarg); break;
    case 'd': opt.seconds = atoi(optarg); break;
    case 'w': opt.settle = atoi(optarg); break;
    case 'k': opt.every = atoi(optarg); break;
    case 's': opt.streams = atoi(optarg); break;
    case 'l': opt.label = optarg; break;
    case 'x': opt.stall = 1; break;
    case 'q': opt.playlists = 1; break;
    case 'o': opt.skip = 1; break;
    case 'P': meter_pids(optarg); break;
    default: exit(2);
    }
  if (!opt.port || !opt.path || opt.viewers < 1 || opt.viewers > 50000 || opt.seconds > 600 || opt.rate < 1 ||
      opt.every < 1 || opt.streams < 1) {
    fprintf(
        stderr,
        "usage: load -m flv|rtmp|ws|wsfmp4|hls|llhls -p PORT -u PATH [-n N] [-r RATE] [-d SECS] [-w SETTLE] "
        "[-k EVERY] [-P PIDS] [-s STREAMS] [-l LABEL] [-x] [-q] [-o]\n");
    exit(2);
  }
}

int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  options(argc, argv);
  struct rlimit rl = {65536, 65536};
  if (setrlimit(RLIMIT_NOFILE, &rl)) {
    getrlimit(RLIMIT_NOFILE, &rl);
    rl.rlim_cur = rl.rlim_max;
    setrlimit(RLIMIT_NOFILE, &rl);
  }
  ep = epoll_create1(0);
  viewers = calloc(opt.viewers, sizeof *viewers);
  delays = malloc(MAXS * 4ul);
  requests = malloc(MAXS * 4ul);
  releases = malloc(MAXS * 4ul);
  key_ages = calloc(opt.viewers, 4);
  cost before = meter(), from = {0};
  uint64_t begin = now_ns(), ramp_end = 0, window = 0;
  double cpu = 0;
  int opened = 0;
  static struct epoll_event ev[4096];
  for (;;) {
    uint64_t t = now_ns();
    while (opened < opt.viewers && (t - begin) * (double)opt.rate / 1e9 >= opened) {
      conn *c = &viewers[opened];
      c->fd = -1;
      c->idx = opened;
      c->sample = opened % opt.every == 0;
      opened++;
      dial(c);
    }
    if (opened == opt.viewers && !ramp_end) ramp_end = t;
    if (ramp_end && !window && t - ramp_end > opt.settle * 1000000000ull) {
      from = meter();
      cpu = cpu_seconds();
      window = now_ns();
      in_window = 1;
    }
    if (window && t > window && t - window > opt.seconds * 1000000000ull) break;
    int k = epoll_wait(ep, ev, 4096, opened < opt.viewers ? 2 : opt.mode == HLS ? 5 : 20);
    for (int i = 0; i < k; i++) on_event(ev[i].data.ptr, ev[i].events);
    if (opt.mode == HLS) poll_hls(opened);
  }
  double seconds = (now_ns() - window) / 1e9;
  in_window = 0;
  report(seconds, before, from, meter(), cpu_seconds() - cpu);
  return 0;
}
