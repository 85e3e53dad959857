/* HLS and LL-HLS viewers: one keep-alive connection each, every new segment or part is fetched. */
#define _GNU_SOURCE
#include "load.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void get(conn *c, const char *p, int st) {
  char b[1024];
  int k = snprintf(b, sizeof b,
                   "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUser-Agent: load\r\nAccept: */*\r\n\r\n", p,
                   opt.port);
  c->st = st;
  c->nbuf = 0;
  c->h.left = -1;
  c->h.chunked = 0;
  c->h.started = 0;
  c->h.chst = 0;
  c->h.chl = 0;
  c->h.t_req = now_ns();
  put(c, b, k);
}

static void join_url(const char *base, const char *ref, char *o, int size) {
  if (!strncmp(ref, "http://", 7)) {
    const char *s = strchr(ref + 7, '/');
    snprintf(o, size, "%s", s ? s : "/");
    return;
  }
  if (ref[0] == '/') {
    snprintf(o, size, "%s", ref);
    return;
  }
  const char *q = strchr(base, '?');
  int k = q ? q - base : (int)strlen(base);
  while (k && base[k - 1] != '/') k--;
  snprintf(o, size, "%.*s%s", k, base, ref);
}
static void enqueue(conn *c, const char *ref) {
  if (c->h.qt - c->h.qh < 24) join_url(c->h.path, ref, c->h.queue[c->h.qt++ % 24], 320);
}
static void on_playlist(conn *c, char *b) {
  char *uri;
  char line[1024];
  double target = 2;
  int variant = 0, canblock = 0;
  double part_target = 0;
  int parts_in_cur = 0;
  static char uris[512][320];
  static int64_t umsn[512];
  static int upart[512];
  int nu = 0;
  int64_t msn = 0;
  for (char *p = b; *p;) {
    char *e = strchr(p, '\n');
    int k = e ? e - p : (int)strlen(p);
    if (k > 1023) k = 1023;
    memcpy(line, p, k);
    line[k] = 0;
    if (k && line[k - 1] == '\r') line[k - 1] = 0;
    p = e ? e + 1 : p + strlen(p);
    if (!strncmp(line, "#EXT-X-MEDIA-SEQUENCE:", 22)) {
      msn = atoll(line + 22);
    } else if (!strncmp(line, "#EXT-X-SKIP:SKIPPED-SEGMENTS=", 29)) msn += atoll(line + 29);
    else if (!strncmp(line, "#EXT-X-TARGETDURATION:", 22)) target = atof(line + 22);
    else if (!strncmp(line, "#EXT-X-STREAM-INF", 17)) variant = 1;
    else if (!strncmp(line, "#EXT-X-SERVER-CONTROL:", 22))
      canblock = strstr(line, "CAN-BLOCK-RELOAD=YES") != 0, c->h.canskip = strstr(line, "CAN-SKIP-UNTIL=") != 0;
    else if (!strncmp(line, "#EXT-X-PART-INF:", 16)) {
      char *q = strstr(line, "PART-TARGET=");
      if (q) part_target = atof(q + 12);
    } else if (!strncmp(line, "#EXT-X-PART:", 12) && opt.llhls) {
      if ((uri = strstr(line, "URI=\""))) {
        uri += 5;
        char *q = strchr(uri, '"');
        if (q) *q = 0;
        if (nu < 512) {
          snprintf(uris[nu], 320, "%.319s", uri);
          umsn[nu] = msn;
          upart[nu++] = parts_in_cur;
        }
      }
      parts_in_cur++;
    } else if (line[0] && line[0] != '#') {
      if (variant) {
        char v[512];
        join_url(c->h.path, line, v, sizeof v);
        snprintf(c->h.path, sizeof c->h.path, "%s", v);
        get(c, c->h.path, S_PLAYLIST);
        return;
      }
      if (parts_in_cur == 0 || !opt.llhls) {
        if (nu < 512) {
          snprintf(uris[nu], 320, "%.319s", line);
          umsn[nu] = msn;
          upart[nu++] = -1;
        }
      }
      msn++;
      parts_in_cur = 0;
    }
  }
  int lowlat = opt.llhls && canblock && part_target > 0;
  int fresh = 0, newest = nu - 1;
  for (int i = 0; i < nu; i++) {
    int isnew = umsn[i] > c->h.lastmsn || (umsn[i] == c->h.lastmsn && upart[i] > c->h.lastpart);
    if (!isnew) continue;
    if (c->h.lastmsn < 0 && i < newest - (lowlat ? 2 : 0)) continue; /* first time: start at the live end */
    if (!opt.playlists) enqueue(c, uris[i]);
    fresh++;
  }
  if (nu) {
    c->h.lastmsn = umsn[newest];
    c->h.lastpart = upart[newest] < 0 ? 1 << 20 : upart[newest];
  }
  c->h.block = lowlat;
  c->h.due = now_ns() + (uint64_t)((fresh ? target : target / 2) * 1e9);
  if (lowlat) c->h.due = 0;
  c->h.listed = lowlat && fresh == 1 ? now_ns() : 0;
  if (lowlat) {
    c->h.lastmsn = msn - (parts_in_cur ? 0 : 1);
    c->h.lastpart = parts_in_cur ? parts_in_cur - 1 : 1 << 20;
  }
  hls_next(c);
}
void hls_next(conn *c) {
  if (c->st == S_DEAD) return;
  if (c->h.qh < c->h.qt) {
    get(c, c->h.queue[c->h.qh++ % 24], S_SEGMENT);
    return;
  }
  uint64_t t = now_ns();
  if (c->h.block) {
    char p[700];
    int64_t m = c->h.lastmsn;
    int part;
    if (c->h.lastpart >= 1 << 20) {
      m++;
      part = 0;
    } else part = c->h.lastpart + 1;
    char which[32] = "";
    if (!opt.playlists) snprintf(which, sizeof which, "&_HLS_part=%d", part);
    c->h.wish = m * 1000 + (opt.playlists ? 0 : part);
    snprintf(p, sizeof p, "%s%c_HLS_msn=%lld%s%s", c->h.path, strchr(c->h.path, '?') ? '&' : '?',
             (long long)m, which, opt.skip && c->h.canskip ? "&_HLS_skip=YES" : "");
    get(c, p, S_PLAYLIST);
    return;
  }
  if (c->h.due <= t) get(c, c->h.path, S_PLAYLIST);
  else c->st = S_IDLE;
}
static void hls_done(conn *c) {
  uint64_t t = now_ns();
  uint32_t us = (t - c->h.t_req) / 1000;
  if (c->st == S_PLAYLIST) {
    nplaylists += in_window;
    if (in_window && !c->h.block && nrequests < MAXS) requests[nrequests++] = us;
    grow(c, 1);
    c->buf[c->nbuf] = 0;
    if (!c->t_first) c->t_first = t;
    if (in_window && c->h.block && c->h.wish) herd_answer(c->h.wish, t, c->buf, c->nbuf);
    on_playlist(c, (char *)c->buf);
  } else {
    nsegments += in_window;
    if (in_window && nrequests < MAXS) requests[nrequests++] = us;
    c->ncarry = 0;
    if (in_window && c->sample && c->h.listed && c->h.listed > c->marked && nreleases < MAXS)
      releases[nreleases++] = (c->h.listed - c->marked) / 1000;
    c->h.listed = 0;
    hls_next(c);
  }
}
static void hls_body(conn *c, const uint8_t *b, int k) {
  if (c->st == S_PLAYLIST) {
    grow(c, k + 1);
    memcpy(c->buf + c->nbuf, b, k);
    c->nbuf += k;
  } else {
    if (c->sample || !c->t_key) scan(c, b, k, now_ns());
  }
}
void hls_read(conn *c, const uint8_t *b, int k) {
  if (!c->h.started) {
    grow(c, k + 1);
    memcpy(c->buf + c->nbuf, b, k);
    c->nbuf += k;
    c->buf[c->nbuf] = 0;
    char *e = strstr((char *)c->buf, "\r\n\r\n");
    if (!e) return;
    int code = atoi((char *)c->buf + 9);
    e[2] = 0;
    for (char *p = (char *)c->buf; *p; p++) *p = tolower(*p);
    char *q = strstr((char *)c->buf, "\r\ncontent-length:");
    c->h.left = q ? atoll(q + 17) : -1;
    c->h.chunked = strstr((char *)c->buf, "transfer-encoding: chunked") != 0;
    c->h.started = 1;
    int body = c->nbuf - (int)(e + 4 - (char *)c->buf);
    static uint8_t tmp[1 << 20];
    if (body > (int)sizeof tmp) body = sizeof tmp;
    memcpy(tmp, e + 4, body);
    c->nbuf = 0;
    if (code == 404 && c->h.lastmsn < 0) {
      c->st = S_IDLE;
      c->h.due = now_ns() + 200000000;
      return;
    }
    if (code / 100 != 2) {
      if (in_window) nerrors++;
      if (c->st == S_PLAYLIST) {
        c->st = S_IDLE;
        c->h.due = now_ns() + 1000000000;
        return;
      }
    }
    if (c->h.left == 0) {
      hls_done(c);
      return;
    }
    if (body) hls_read(c, tmp, body);
    return;
  }
  if (!c->h.chunked) {
    int use = c->h.left >= 0 && k > c->h.left ? c->h.left : k;
    hls_body(c, b, use);
    if (c->h.left >= 0) {
      c->h.left -= use;
      if (c->h.left == 0) hls_done(c);
    }
    return;
  }
  while (k > 0) { /* chst 0: size line, 1: data, 2: CRLF after data */
    if (c->h.chst == 0) {
      int ch = *b++;
      k--;
      if (ch == '\n') {
        if (c->h.chl == 0) {
          c->h.chst = 3;
          continue;
        }
        c->h.chst = 1;
      } else if (isxdigit(ch)) c->h.chl = c->h.chl * 16 + (ch <= '9' ? ch - '0' : (ch | 32) - 'a' + 10);
    } else if (c->h.chst == 1) {
      int use = k < c->h.chl ? k : c->h.chl;
      hls_body(c, b, use);
      b += use;
      k -= use;
      c->h.chl -= use;
      if (!c->h.chl) c->h.chst = 2;
    } else if (c->h.chst == 2) {
      int ch = *b++;
      k--;
      if (ch == '\n') {
        c->h.chst = 0;
        c->h.chl = 0;
      }
    } else {
      int ch = *b++;
      k--;
      if (ch == '\n') {
        hls_done(c);
        return;
      }
    }
  }
}

void hls_open(conn *c) {
  if (c->h.closed) {
    c->h.closed = 0;
    hls_next(c);
    return;
  }
  char p[512];
  viewer_path(c, p, sizeof p);
  snprintf(c->h.path, sizeof c->h.path, "%s", p);
  c->h.lastmsn = -1;
  get(c, p, S_PLAYLIST);
}
void hls_closed(conn *c) {
  close(c->fd);
  c->fd = -1;
  c->h.closed = 1;
  if (c->st == S_SEGMENT || c->st == S_PLAYLIST) {
    if (c->h.started && c->h.left < 0 && !c->h.chunked) {
      hls_done(c);
      return;
    }
    nerrors += in_window;
  }
  c->st = S_IDLE;
  if (!c->h.due) c->h.due = now_ns() + 100000000;
}
