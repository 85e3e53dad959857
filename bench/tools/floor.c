/* floor: the least a live fan-out can cost with one write() per viewer and flush. A bench mark, not a server.
 *
 *   floor -i INGEST_PORT -p HTTP_PORT [-w MERGE_MS]
 *
 * Takes one FLV byte stream over TCP (pub -m flv) and gives it to every GET on HTTP_PORT, late ones from the
 * last keyframe on. -w 0 (default) writes after each tag, -w 50 every 50 ms. One thread, epoll, loopback
 * only. All bytes live once in a ring; a viewer is a position in it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

enum { RING = 1 << 25, HEAD = 65536, MAX_VIEWERS = 50000 };

typedef struct viewer {
  int fd, playing;
  uint64_t at; /* next byte to send, counted from the stream's begin */
  struct viewer *next;
} viewer;

static uint8_t ring[RING], head[HEAD]; /* head: FLV header, metadata and sequence headers */
static int nhead, ep, merge_ms, ingest = -1;
static uint64_t end, key; /* bytes received in whole tags; where the last keyframe begins */
static viewer *all[MAX_VIEWERS];
static int nall;
static uint8_t in[1 << 22];
static int nin, begun;

static void arm(int op, int fd, uint32_t events, void *owner) {
  struct epoll_event e = {.events = events, .data.ptr = owner};
  epoll_ctl(ep, op, fd, &e);
}
static int listen_on(int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
  struct sockaddr_in a = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(fd, (void *)&a, sizeof a) || listen(fd, 4096)) {
    perror("floor");
    exit(1);
  }
  return fd;
}
static viewer *gone; /* freed after the round of events that may still name them */
static void leave(int i) {
  viewer *v = all[i];
  close(v->fd);
  v->fd = -1;
  v->next = gone;
  gone = v;
  all[i] = all[--nall];
}
/* One write to one viewer; 0 when it has to go. */
static int give(viewer *v) {
  if (!v->playing || v->at == end) return 1;
  if (end - v->at > RING) return 0;
  uint64_t from = v->at % RING, size = end - v->at;
  struct iovec part[2] = {{ring + from, size}, {ring, 0}};
  if (from + size > RING) part[0].iov_len = RING - from, part[1].iov_len = from + size - RING;
  ssize_t k = part[1].iov_len ? writev(v->fd, part, 2) : write(v->fd, part[0].iov_base, size);
  if (k < 0) return errno == EAGAIN;
  v->at += k;
  return 1;
}
static void flush_all(void) {
  for (int i = nall - 1; i >= 0; i--)
    if (!give(all[i])) leave(i);
}
static void store(const uint8_t *b, uint64_t k) {
  uint64_t at = end % RING, first = k < RING - at ? k : RING - at;
  memcpy(ring + at, b, first);
  memcpy(ring, b + first, k - first);
  end += k;
}
static void on_media(void) {
  ssize_t k = recv(ingest, in + nin, sizeof in - nin, 0);
  if (k == 0 || (k < 0 && errno != EAGAIN)) {
    close(ingest);
    ingest = -1;
    return;
  }
  if (k < 0) return;
  nin += k;
  int p = 0;
  if (!begun) {
    if (nin < 13) return;
    memcpy(head, in, nhead = 13);
    p = 13;
    begun = 1;
  }
  while (nin - p >= 11) {
    const uint8_t *t = in + p;
    int size = (t[1] << 16 | t[2] << 8 | t[3]) + 15;
    if (nin - p < size) break;
    int video = t[0] == 9, audio = t[0] == 8;
    if (!video && !audio) {
      if (nhead + size <= HEAD) memcpy(head + nhead, t, size), nhead += size;
    } else if (t[12] == 0 && (video || t[11] >> 4 == 10)) {
      if (nhead + size <= HEAD) memcpy(head + nhead, t, size), nhead += size;
    } else {
      if (video && t[11] >> 4 == 1) key = end;
      store(t, size);
      if (!merge_ms) flush_all();
    }
    p += size;
  }
  memmove(in, in + p, nin -= p);
}
static void on_accept(int listener) {
  for (int fd; (fd = accept4(listener, 0, 0, SOCK_NONBLOCK)) >= 0;) {
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (nall == MAX_VIEWERS) {
      close(fd);
      continue;
    }
    viewer *v = calloc(1, sizeof *v);
    v->fd = fd;
    all[nall++] = v;
    arm(EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLRDHUP, v);
  }
}
static void on_viewer(viewer *v) {
  char b[4096];
  if (v->fd < 0) return;
  ssize_t k = recv(v->fd, b, sizeof b, MSG_DONTWAIT);
  if (k == 0 || (k < 0 && errno != EAGAIN)) {
    for (int i = 0; i < nall; i++)
      if (all[i] == v) {
        leave(i);
        return;
      }
  }
  if (k <= 0 || v->playing || !memmem(b, k, "\r\n\r\n", 4)) return;
  static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: video/x-flv\r\nConnection: close\r\n\r\n";
  struct iovec part[2] = {{(void *)answer, sizeof answer - 1}, {head, nhead}};
  if (writev(v->fd, part, 2) < 0) return;
  v->at = key;
  v->playing = 1;
  give(v);
}

int main(int argc, char **argv) {
  int o, ingest_port = 0, http_port = 0;
  signal(SIGPIPE, SIG_IGN);
  while ((o = getopt(argc, argv, "i:p:w:")) != -1) switch (o) {
    case 'i': ingest_port = atoi(optarg); break;
    case 'p': http_port = atoi(optarg); break;
    case 'w': merge_ms = atoi(optarg); break;
    default: return 2;
    }
  if (!ingest_port || !http_port) {
    fprintf(stderr, "usage: floor -i INGEST_PORT -p HTTP_PORT [-w MERGE_MS]\n");
    return 2;
  }
  struct rlimit rl = {65536, 65536};
  setrlimit(RLIMIT_NOFILE, &rl);
  ep = epoll_create1(0);
  int take = listen_on(ingest_port), serve = listen_on(http_port), timer = -1;
  arm(EPOLL_CTL_ADD, take, EPOLLIN, &take);
  arm(EPOLL_CTL_ADD, serve, EPOLLIN, &serve);
  if (merge_ms) {
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    struct timespec every = {merge_ms / 1000, merge_ms % 1000 * 1000000};
    struct itimerspec spec = {every, every};
    timerfd_settime(timer, 0, &spec, 0);
    arm(EPOLL_CTL_ADD, timer, EPOLLIN, &timer);
  }
  static struct epoll_event ev[1024];
  for (;;) {
    int k = epoll_wait(ep, ev, 1024, -1);
    for (int i = 0; i < k; i++) {
      void *who = ev[i].data.ptr;
      if (who == &take) {
        int fd = accept4(take, 0, 0, SOCK_NONBLOCK);
        if (fd >= 0 && ingest < 0) ingest = fd, arm(EPOLL_CTL_ADD, fd, EPOLLIN, &ingest);
        else if (fd >= 0) close(fd);
      } else if (who == &serve) on_accept(serve);
      else if (who == &timer) {
        uint64_t times;
        if (read(timer, &times, 8) == 8) flush_all();
      } else if (who == &ingest) on_media();
      else on_viewer(who);
    }
    while (gone) {
      viewer *v = gone;
      gone = v->next;
      free(v);
    }
  }
}
