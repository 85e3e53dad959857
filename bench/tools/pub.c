/* pub: publishes an FLV file in real time, in a loop, as H.264+AAC live stream(s).
 *
 *   pub -p PORT [-a APP] [-s STREAM] -f FILE.flv [-t SECONDS] [-n STREAMS] [-c CHUNK] [-m rtmp|flv]
 *
 * Only 127.0.0.1 is ever contacted. Every video frame gets an SEI message (user data,
 * unregistered) whose UUID is the 16 ASCII bytes MAGIC and whose text is
 *   'K' or 'P' (key frame or not) + 8 hex digits of sequence + 16 hex digits of CLOCK_MONOTONIC ns
 * A reader of the delivered bytes finds the mark by plain byte search, in FLV, RTMP, WebSocket,
 * MPEG-TS or fMP4 alike (it lies within the first 64 bytes of the access unit), so end-to-end
 * delay needs no demuxer.  Mode flv sends the FLV byte stream over plain TCP (for prototypes).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAGIC "LoadToolStamp/01"

typedef struct {
  uint8_t type;
  uint32_t ts;
  uint32_t size;
  uint8_t *data;
  int key, nalu;
} tag_t;

static tag_t *tags;
static int ntags;
static uint32_t loop_ms;
static int chunk = 4096, port, nstreams = 1, rtmp = 1;
static const char *app = "live", *stream = "test", *file;

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000ull + t.tv_nsec;
}
static void die(const char *m) {
  perror(m);
  exit(1);
}

static void load_file(void) {
  FILE *f = fopen(file, "rb");
  if (!f) die(file);
  fseek(f, 0, SEEK_END);
  long n = ftell(f);
  rewind(f);
  uint8_t *b = malloc(n);
  if (fread(b, 1, n, f) != (size_t)n) die("read");
  fclose(f);
  if (n < 13 || memcmp(b, "FLV", 3)) {
    fprintf(stderr, "not FLV\n");
    exit(1);
  }
  long p = 13;
  int cap = 0;
  uint32_t last[2] = {0, 0}, step = 33;
  while (p + 11 <= n) {
    uint32_t size = b[p + 1] << 16 | b[p + 2] << 8 | b[p + 3];
    uint32_t ts = b[p + 4] << 16 | b[p + 5] << 8 | b[p + 6] | (uint32_t)b[p + 7] << 24;
    if (p + 11 + size > (uint32_t)n) break;
    if (ntags == cap) tags = realloc(tags, (cap = cap ? cap * 2 : 1024) * sizeof *tags);
    tag_t *t = &tags[ntags];
    *t = (tag_t){.type = b[p] & 31, .ts = ts, .size = size, .data = b + p + 11};
    if (t->type == 9 && size > 5) {
      t->key = t->data[0] >> 4 == 1;
      t->nalu = (t->data[0] & 15) == 7 && t->data[1] == 1;
    }
    if ((t->type == 8 || t->type == 9) && size) {
      if (t->type == 9 && ts > last[1]) step = ts - last[1];
      if (ts > last[t->type - 8]) last[t->type - 8] = ts;
    }
    ntags++;
    p += 11 + size + 4;
  }
  loop_ms = (last[0] > last[1] ? last[0] : last[1]) + step;
  fprintf(stderr, "pub: %d tags, %u ms\n", ntags, loop_ms);
}

static void wr(int fd, const uint8_t *b, size_t n) {
  while (n) {
    ssize_t k = write(fd, b, n);
    if (k < 0) {
      if (errno == EINTR) continue;
      die("write");
    }
    b += k;
    n -= k;
  }
}
static void rd(int fd, uint8_t *b, size_t n) {
  while (n) {
    ssize_t k = read(fd, b, n);
    if (k <= 0) {
      if (k < 0 && errno == EINTR) continue;
      die("read");
    }
    b += k;
    n -= k;
  }
}

static uint8_t obuf[4 << 20];
static size_t rtmp_msg(int csid, int type, uint32_t ts, int sid, const uint8_t *d, uint32_t n) {
  uint8_t *o = obuf;
  uint32_t ext = ts >= 0xffffff;
  *o++ = csid;
  uint32_t h = ext ? 0xffffff : ts;
  *o++ = h >> 16;
  *o++ = h >> 8;
  *o++ = h;
  *o++ = n >> 16;
  *o++ = n >> 8;
  *o++ = n;
  *o++ = type;
  *o++ = sid;
  *o++ = sid >> 8;
  *o++ = sid >> 16;
  *o++ = sid >> 24;
  for (uint32_t off = 0;;) {
    if (ext) {
      *o++ = ts >> 24;
      *o++ = ts >> 16;
      *o++ = ts >> 8;
      *o++ = ts;
    }
    uint32_t k = n - off < (uint32_t)chunk ? n - off : (uint32_t)chunk;
    memcpy(o, d + off, k);
    o += k;
    off += k;
    if (off >= n) break;
    *o++ = 0xc0 | csid;
  }
  return o - obuf;
}
static uint8_t *a_str(uint8_t *o, const char *s) {
  size_t n = strlen(s);
  *o++ = 2;
  *o++ = n >> 8;
  *o++ = n;
  memcpy(o, s, n);
  return o + n;
}
static uint8_t *a_key(uint8_t *o, const char *s) {
  size_t n = strlen(s);
  *o++ = n >> 8;
  *o++ = n;
  memcpy(o, s, n);
  return o + n;
}
static uint8_t *a_num(uint8_t *o, double v) {
  union {
    double d;
    uint64_t u;
  } x = {v};
  *o++ = 0;
  for (int i = 56; i >= 0; i -= 8) *o++ = x.u >> i;
  return o;
}
static void cmd(int fd, int sid, const uint8_t *b, size_t n) {
  int c = chunk;
  chunk = 128;
  size_t k = rtmp_msg(3, 20, 0, sid, b, n);
  chunk = c;
  wr(fd, obuf, k);
}

static void wait_for(int fd, const char *word, int nth) {
  static uint8_t b[65536];
  size_t n = 0;
  uint64_t end = now_ns() + 5000000000ull;
  while (now_ns() < end && n < sizeof b) {
    ssize_t k = read(fd, b + n, sizeof b - n);
    if (k <= 0) die("server closed");
    n += k;
    int c = 0;
    uint8_t *p = b;
    while ((p = memmem(p, b + n - p, word, strlen(word)))) {
      c++;
      p++;
    }
    if (c >= nth) return;
  }
  fprintf(stderr, "pub: no %s\n", word);
  exit(1);
}

static int open_pub(const char *name) {
  int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  struct sockaddr_in a = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (connect(fd, (void *)&a, sizeof a)) die("connect");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (!rtmp) {
    wr(fd, (const uint8_t *)"FLV\1\5\0\0\0\11\0\0\0\0", 13);
    return fd;
  }
  static uint8_t h[1 + 1536 * 2];
  memset(h, 0, sizeof h);
  h[0] = 3;
  for (int i = 9; i < 1537; i++) h[i] = i * 31;
  wr(fd, h, 1537);
  rd(fd, h, 1 + 1536 * 2);
  wr(fd, h + 1, 1536);
  uint8_t b[1024], *o = b;
  char url[256];
  snprintf(url, sizeof url, "rtmp://127.0.0.1:%d/%s", port, app);
  o = a_str(o, "connect");
  o = a_num(o, 1);
  *o++ = 3;
  o = a_key(o, "app");
  o = a_str(o, app);
  o = a_key(o, "type");
  o = a_str(o, "nonprivate");
  o = a_key(o, "flashVer");
  o = a_str(o, "FMLE/3.0 (load tool)");
  o = a_key(o, "tcUrl");
  o = a_str(o, url);
  *o++ = 0;
  *o++ = 0;
  *o++ = 9;
  cmd(fd, 0, b, o - b);
  wait_for(fd, "_result", 1);
  uint8_t cs[4] = {chunk >> 24, chunk >> 16, chunk >> 8, chunk};
  wr(fd, obuf, rtmp_msg(2, 1, 0, 0, cs, 4));
  int save = chunk;
  o = b;
  o = a_str(o, "releaseStream");
  o = a_num(o, 2);
  *o++ = 5;
  o = a_str(o, name);
  {
    size_t k = rtmp_msg(3, 20, 0, 0, b, o - b);
    wr(fd, obuf, k);
  }
  o = b;
  o = a_str(o, "FCPublish");
  o = a_num(o, 3);
  *o++ = 5;
  o = a_str(o, name);
  {
    size_t k = rtmp_msg(3, 20, 0, 0, b, o - b);
    wr(fd, obuf, k);
  }
  o = b;
  o = a_str(o, "createStream");
  o = a_num(o, 4);
  *o++ = 5;
  {
    size_t k = rtmp_msg(3, 20, 0, 0, b, o - b);
    wr(fd, obuf, k);
  }
  wait_for(fd, "_result", 1);
  usleep(50000);
  o = b;
  o = a_str(o, "publish");
  o = a_num(o, 5);
  *o++ = 5;
  o = a_str(o, name);
  o = a_str(o, "live");
  {
    size_t k = rtmp_msg(3, 20, 0, 1, b, o - b);
    wr(fd, obuf, k);
  }
  chunk = save;
  wait_for(fd, "NetStream.Publish", 1);
  fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
}

int main(int argc, char **argv) {
  int c;
  double secs = 600;
  signal(SIGPIPE, SIG_IGN);
  while ((c = getopt(argc, argv, "p:a:s:f:t:n:c:m:")) != -1) switch (c) {
    case 'p': port = atoi(optarg); break;
    case 'a': app = optarg; break;
    case 's': stream = optarg; break;
    case 'f': file = optarg; break;
    case 't': secs = atof(optarg); break;
    case 'n': nstreams = atoi(optarg); break;
    case 'c': chunk = atoi(optarg); break;
    case 'm': rtmp = strcmp(optarg, "flv") != 0; break;
    default: return 2;
    }
  if (!port || !file) {
    fprintf(stderr, "usage: pub -p PORT -f FILE.flv [-a APP] [-s STREAM] [-t SECONDS] [-n STREAMS] [-c "
                    "CHUNK] [-m rtmp|flv]\n");
    return 2;
  }
  load_file();
  int *fd = calloc(nstreams, sizeof *fd);
  char name[256];
  for (int i = 0; i < nstreams; i++) {
    if (nstreams == 1) snprintf(name, sizeof name, "%s", stream);
    else snprintf(name, sizeof name, "%s%d", stream, i);
    fd[i] = open_pub(name);
  }
  static uint8_t pay[2 << 20], trash[65536];
  uint64_t t0 = now_ns(), end = t0 + secs * 1e9;
  uint32_t seq = 0, base = 0;
  fprintf(stderr, "pub: publishing %llu\n", (unsigned long long)t0);
  for (int first = 1;; first = 0, base += loop_ms)
    for (int i = 0; i < ntags; i++) {
      tag_t *t = &tags[i];
      uint32_t ts = base + t->ts;
      if (!first && (t->type == 18 || (t->type == 9 && t->size > 1 && t->data[1] != 1) ||
                     (t->type == 8 && t->size > 1 && t->data[1] == 0 && t->data[0] >> 4 == 10)))
        continue;
      uint64_t due = t0 + ts * 1000000ull, n = now_ns();
      if (n > end) return 0;
      if (due > n) {
        struct timespec s = {due / 1000000000ull, due % 1000000000ull};
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &s, 0) == EINTR)
          ;
      }
      uint8_t *d = t->data;
      uint32_t size = t->size;
      if (t->nalu) {
        uint8_t *o = pay;
        memcpy(o, d, 5);
        o += 5;
        uint32_t sei = 2 + 1 + 16 + 25 + 1;
        *o++ = 0;
        *o++ = 0;
        *o++ = 0;
        *o++ = sei;
        *o++ = 6;
        *o++ = 5;
        *o++ = 41;
        memcpy(o, MAGIC, 16);
        o += 16;
        o += sprintf((char *)o, "%c%08x%016llx", t->key ? 'K' : 'P', seq++, (unsigned long long)now_ns());
        *o++ = 0x80;
        memcpy(o, d + 5, size - 5);
        size = o - pay + size - 5;
        d = pay;
      }
      for (int k = 0; k < nstreams; k++) {
        size_t len;
        if (rtmp) {
          uint8_t tmp[512];
          if (t->type == 18 && size < 480) {
            uint8_t *o = a_str(tmp, "@setDataFrame");
            memcpy(o, d, size);
            len = rtmp_msg(5, 18, ts, 1, tmp, o - tmp + size);
          } else len = rtmp_msg(t->type == 8 ? 4 : 6, t->type, ts, 1, d, size);
        } else {
          uint8_t *o = obuf;
          *o++ = t->type;
          *o++ = size >> 16;
          *o++ = size >> 8;
          *o++ = size;
          *o++ = ts >> 16;
          *o++ = ts >> 8;
          *o++ = ts;
          *o++ = ts >> 24;
          *o++ = 0;
          *o++ = 0;
          *o++ = 0;
          memcpy(o, d, size);
          o += size;
          uint32_t tot = size + 11;
          *o++ = tot >> 24;
          *o++ = tot >> 16;
          *o++ = tot >> 8;
          *o++ = tot;
          len = o - obuf;
        }
        uint8_t *p = obuf;
        while (len) {
          ssize_t w = write(fd[k], p, len);
          if (w < 0) {
            if (errno == EAGAIN) {
              usleep(1000);
              continue;
            }
            die("publish write");
          }
          p += w;
          len -= w;
        }
        while (recv(fd[k], trash, sizeof trash, MSG_DONTWAIT) > 0)
          ;
      }
    }
}
