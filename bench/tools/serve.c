/* serve: the least that sending files from memory can cost: one read() and one write() per request. A bench mark, not
 * a server: it looks at the path alone, and believes that a request comes in one piece.
 *
 *   serve -p PORT -r ROOT -f LIST
 *
 * LIST has one path per line; each is read from below ROOT at the start and kept with its head in front. One thread,
 * epoll, loopback only.
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
#include <unistd.h>

enum { MAX_PATHS = 4096, HEAD = 8192 };

typedef struct {
  char *path, *answer;
  size_t length;
} file;

typedef struct {
  int fd, blocked;
  const char *at; /* what is still to be written */
  size_t left;
} client;

static file files[MAX_PATHS];
static int nfiles, ep;

static void load(const char *root, const char *path) {
  char name[2048], head[256];
  snprintf(name, sizeof name, "%s%s", root, path);
  FILE *f = fopen(name, "r");
  if (!f) {
    perror(name);
    exit(2);
  }
  fseek(f, 0, SEEK_END);
  long size = ftell(f);
  rewind(f);
  int k = snprintf(head, sizeof head,
                   "HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: %ld\r\nConnection: keep-alive\r\n\r\n",
                   size);
  file *one = &files[nfiles++];
  one->path = strdup(path);
  one->answer = malloc(k + size);
  one->length = k + size;
  memcpy(one->answer, head, k);
  if (fread(one->answer + k, 1, size, f) != (size_t)size) exit(2);
  fclose(f);
}
static void leave(client *c) {
  close(c->fd);
  c->fd = -1; /* kept: the same round of events may still name it */
}
static void give(client *c) {
  ssize_t k = write(c->fd, c->at, c->left);
  if (k < 0 && errno != EAGAIN) {
    leave(c);
    return;
  }
  if (k > 0) c->at += k, c->left -= k;
  int blocked = c->left > 0;
  if (blocked == c->blocked) return;
  c->blocked = blocked;
  struct epoll_event e = {.events = blocked ? EPOLLOUT : EPOLLIN, .data.ptr = c};
  epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
}
static void on_read(client *c) {
  char head[HEAD];
  ssize_t k = read(c->fd, head, sizeof head - 1);
  if (k <= 0) {
    if (k == 0 || errno != EAGAIN) leave(c);
    return;
  }
  head[k] = 0;
  char *end = k > 4 ? strchr(head + 4, ' ') : 0;
  if (!end || strncmp(head, "GET ", 4)) {
    leave(c);
    return;
  }
  *end = 0;
  for (int i = 0; i < nfiles; i++)
    if (!strcmp(files[i].path, head + 4)) {
      c->at = files[i].answer;
      c->left = files[i].length;
      give(c);
      return;
    }
  leave(c);
}

int main(int argc, char **argv) {
  int o, port = 0, one = 1;
  const char *root = "", *list = 0;
  signal(SIGPIPE, SIG_IGN);
  while ((o = getopt(argc, argv, "p:r:f:")) != -1) switch (o) {
    case 'p': port = atoi(optarg); break;
    case 'r': root = optarg; break;
    case 'f': list = optarg; break;
    default: return 2;
    }
  FILE *f = list ? fopen(list, "r") : 0;
  if (!port || !f) {
    fprintf(stderr, "usage: serve -p PORT -r ROOT -f LIST\n");
    return 2;
  }
  char line[1024];
  while (nfiles < MAX_PATHS && fgets(line, sizeof line, f)) {
    line[strcspn(line, "\r\n")] = 0;
    if (line[0]) load(root, line);
  }
  fclose(f);
  struct rlimit rl = {65536, 65536};
  setrlimit(RLIMIT_NOFILE, &rl);
  ep = epoll_create1(0);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in a = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(fd, (void *)&a, sizeof a) || listen(fd, 4096)) {
    perror("serve");
    return 1;
  }
  struct epoll_event e = {.events = EPOLLIN, .data.ptr = 0}, ev[256];
  epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
  for (;;) {
    int k = epoll_wait(ep, ev, 256, -1);
    for (int i = 0; i < k; i++) {
      client *c = ev[i].data.ptr;
      if (!c) {
        int in = accept4(fd, 0, 0, SOCK_NONBLOCK);
        if (in < 0) continue;
        setsockopt(in, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        c = calloc(1, sizeof *c);
        c->fd = in;
        struct epoll_event add = {.events = EPOLLIN, .data.ptr = c};
        epoll_ctl(ep, EPOLL_CTL_ADD, in, &add);
      } else if (c->fd >= 0) {
        if (c->left) give(c);
        else on_read(c);
      }
    }
  }
}
