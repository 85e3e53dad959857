/* get: N keep-alive connections that fetch a list of addresses over and over, and what that costs the server.
 *
 *   get -p PORT -f LIST [-c CONNECTIONS] [-d SECONDS] [-w SETTLE_SECONDS] [-r REQUESTS_PER_S] [-P SERVER_PID[,PID..]]
 *       [-l LABEL]
 *
 * LIST has one path per line. Without -r each connection asks again as soon as it has its answer, with it requests
 * are spread evenly. Bodies are discarded in the kernel (MSG_TRUNC), so that this program costs little. Only
 * 127.0.0.1 is contacted. One JSON line is printed.
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

enum { MAX_PATHS = 4096, HEAD = 8192, MAX_TIMES = 1 << 20 };

typedef struct {
  int fd, next, nhead, open, busy;
  int64_t left; /* bytes of the body to come; -1 while the head is not whole */
  uint64_t asked;
  char head[HEAD + 1];
} getter;

static char *paths[MAX_PATHS];
static int npaths, port, conns = 50, seconds = 5, settle = 1, rate, ep;
static const char *label = "";
static int window_open;
static uint64_t bytes, requests_done, errors;
static uint32_t *times;
static int ntimes;

static uint64_t clock_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000ull + t.tv_nsec;
}
static void fail(getter *g) {
  if (window_open) errors++;
  close(g->fd);
  g->fd = -1;
  g->open = g->busy = 0;
}
static void ask(getter *g) {
  char b[1024];
  int k = snprintf(b, sizeof b, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUser-Agent: get\r\nAccept: */*\r\n\r\n",
                   paths[g->next++ % npaths], port);
  g->nhead = 0;
  g->left = -1;
  g->busy = 1;
  g->asked = clock_ns();
  if (send(g->fd, b, k, MSG_NOSIGNAL) != k) fail(g);
}
static void dial(getter *g) {
  int one = 1;
  struct sockaddr_in a = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  g->fd = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(g->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (connect(g->fd, (void *)&a, sizeof a)) {
    fail(g);
    return;
  }
  struct epoll_event e = {.events = EPOLLIN, .data.ptr = g};
  epoll_ctl(ep, EPOLL_CTL_ADD, g->fd, &e);
  g->open = 1;
}
static void done(getter *g) {
  g->busy = 0;
  if (window_open) {
    requests_done++;
    if (ntimes < MAX_TIMES) times[ntimes++] = (clock_ns() - g->asked) / 1000;
  }
  if (!rate) ask(g);
}
/* The head is whole: its status and length are read, and what came of the body is counted. */
static void on_head(getter *g, char *end) {
  int code = atoi(g->head + 9);
  char *length = strcasestr(g->head, "\r\ncontent-length:");
  if (code != 200 || !length || length > end) {
    fail(g);
    return;
  }
  int body = g->nhead - (int)(end + 4 - g->head);
  g->left = atoll(length + 17) - body;
  if (g->left < 0) fail(g);
  else if (!g->left) done(g);
}
static void on_read(getter *g) {
  for (int loops = 0; g->open && loops < 8; loops++) {
    ssize_t k;
    if (g->left < 0) {
      k = recv(g->fd, g->head + g->nhead, HEAD - g->nhead, MSG_DONTWAIT);
      if (k > 0) {
        if (window_open) bytes += k;
        g->nhead += k;
        g->head[g->nhead] = 0;
        char *end = strstr(g->head, "\r\n\r\n");
        if (end) on_head(g, end);
        else if (g->nhead == HEAD) fail(g);
        continue;
      }
    } else {
      k = recv(g->fd, 0, g->left, MSG_TRUNC | MSG_DONTWAIT);
      if (k > 0) {
        if (window_open) bytes += k;
        g->left -= k;
        if (!g->left) done(g);
        continue;
      }
    }
    if (k < 0 && (errno == EAGAIN || errno == EINTR)) return;
    fail(g);
    return;
  }
}
static void read_list(const char *name) {
  char line[1024];
  FILE *f = fopen(name, "r");
  if (!f) {
    perror(name);
    exit(2);
  }
  while (npaths < MAX_PATHS && fgets(line, sizeof line, f)) {
    line[strcspn(line, "\r\n")] = 0;
    if (line[0]) paths[npaths++] = strdup(line);
  }
  fclose(f);
}
static int ascending(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return x < y ? -1 : x > y;
}
static double percentile(double p) { return ntimes ? times[(int)(p * (ntimes - 1) + .5)] / 1000.0 : -1; }
static double own_cpu(void) {
  struct rusage r;
  getrusage(RUSAGE_SELF, &r);
  return r.ru_utime.tv_sec + r.ru_stime.tv_sec + (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv) {
  int o;
  signal(SIGPIPE, SIG_IGN);
  while ((o = getopt(argc, argv, "p:f:c:d:w:r:P:l:")) != -1) switch (o) {
    case 'p': port = atoi(optarg); break;
    case 'f': read_list(optarg); break;
    case 'c': conns = atoi(optarg); break;
    case 'd': seconds = atoi(optarg); break;
    case 'w': settle = atoi(optarg); break;
    case 'r': rate = atoi(optarg); break;
    case 'P': meter_pids(optarg); break;
    case 'l': label = optarg; break;
    default: return 2;
    }
  if (!port || !npaths || conns < 1 || conns > 20000 || seconds < 1 || seconds > 600) {
    fprintf(stderr, "usage: get -p PORT -f LIST [-c CONNECTIONS] [-d SECS] [-w SETTLE] [-r RATE] [-P PIDS] [-l LABEL]\n");
    return 2;
  }
  struct rlimit rl = {65536, 65536};
  setrlimit(RLIMIT_NOFILE, &rl);
  ep = epoll_create1(0);
  times = malloc(MAX_TIMES * sizeof *times);
  getter *all = calloc(conns, sizeof *all);
  for (int i = 0; i < conns; i++) {
    all[i].next = i;
    dial(&all[i]);
    if (all[i].open && !rate) ask(&all[i]);
  }
  uint64_t begin = clock_ns(), from = 0, sent = 0;
  cost before = {0};
  double cpu = 0;
  int turn = 0;
  static struct epoll_event ev[1024];
  for (;;) {
    uint64_t t = clock_ns();
    if (!from && t - begin > settle * 1000000000ull) {
      before = meter();
      cpu = own_cpu();
      from = clock_ns();
      window_open = 1;
    }
    if (from && t > from && t - from > seconds * 1000000000ull) break;
    /* Requests that are due go to connections that are free; what cannot be asked is lost, not made up for. */
    for (uint64_t due = rate * (t - begin) / 1000000000ull; rate && sent < due; sent++) {
      int tries = conns;
      while (tries-- && (!all[turn % conns].open || all[turn % conns].busy)) turn++;
      if (tries >= 0) ask(&all[turn % conns]);
      turn++;
    }
    int k = epoll_wait(ep, ev, 1024, rate ? 1 : 20);
    for (int i = 0; i < k; i++) on_read(ev[i].data.ptr);
  }
  double window = (clock_ns() - from) / 1e9, client = own_cpu() - cpu;
  window_open = 0;
  cost after = meter();
  double run = (after.run - before.run) / 1e9, gbit = bytes * 8 / 1e9;
  qsort(times, ntimes, sizeof *times, ascending);
  printf("{\"label\":\"%s\",\"connections\":%d,\"window_s\":%.2f,\"requests\":%llu,\"errors\":%llu,\"mbit_s\":%.1f,"
         "\"srv\":{\"cpu_pct\":%.2f,\"cpu_s_per_gbit\":%.4f,\"cpu_us_per_request\":%.2f},"
         "\"request_ms\":{\"p50\":%.2f,\"p99\":%.2f},\"client_cpu_pct\":%.1f}\n",
         label, conns, window, (unsigned long long)requests_done, (unsigned long long)errors, gbit * 1000 / window,
         run / window * 100, gbit > 0 ? run / gbit : -1, requests_done ? run * 1e6 / requests_done : -1,
         percentile(.5), percentile(.99), client / window * 100);
  return 0;
}
