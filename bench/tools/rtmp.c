/* RTMP viewers: plain handshake, connect, createStream, play; acknowledges every 2 MB, answers no pings. */
#define _GNU_SOURCE
#include "load.h"
#include <stdio.h>
#include <string.h>

static uint8_t *a_str(uint8_t *o, const char *s) {
  size_t k = strlen(s);
  *o++ = 2;
  *o++ = k >> 8;
  *o++ = k;
  memcpy(o, s, k);
  return o + k;
}
static uint8_t *a_key(uint8_t *o, const char *s) {
  size_t k = strlen(s);
  *o++ = k >> 8;
  *o++ = k;
  memcpy(o, s, k);
  return o + k;
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
static void rtmp(conn *c, int csid, int type, int sid, const uint8_t *d, int k) {
  uint8_t m[2048], *o = m;
  *o++ = csid;
  *o++ = 0;
  *o++ = 0;
  *o++ = 0;
  *o++ = k >> 16;
  *o++ = k >> 8;
  *o++ = k;
  *o++ = type;
  *o++ = sid;
  *o++ = 0;
  *o++ = 0;
  *o++ = 0;
  for (int off = 0;;) {
    int s = k - off < 128 ? k - off : 128;
    memcpy(o, d + off, s);
    o += s;
    off += s;
    if (off >= k) break;
    *o++ = 0xc0 | csid;
  }
  put(c, m, o - m);
}
void rtmp_setup(conn *c, const uint8_t *b, int k) {
  grow(c, k);
  memcpy(c->buf + c->nbuf, b, k);
  c->nbuf += k;
  uint8_t m[1024], *o = m;
  char p[512], app[256], url[300];
  viewer_path(c, p, sizeof p);
  char *sl = strchr(p, '/');
  if (!sl) {
    dead(c, 1);
    return;
  }
  snprintf(app, sizeof app, "%.*s", (int)(sl - p), p);
  snprintf(url, sizeof url, "rtmp://127.0.0.1:%d/%s", opt.port, app);
  if (c->st == S_HS) {
    if (c->nbuf < 1 + 1536 * 2) return;
    put(c, c->buf + 1, 1536);
    c->nbuf = 0;
    c->st = S_CONNECT;
    o = a_str(o, "connect");
    o = a_num(o, 1);
    *o++ = 3;
    o = a_key(o, "app");
    o = a_str(o, app);
    o = a_key(o, "flashVer");
    o = a_str(o, "LNX 9,0,124,2");
    o = a_key(o, "tcUrl");
    o = a_str(o, url);
    o = a_key(o, "fpad");
    *o++ = 1;
    *o++ = 0;
    o = a_key(o, "capabilities");
    o = a_num(o, 15);
    o = a_key(o, "audioCodecs");
    o = a_num(o, 4071);
    o = a_key(o, "videoCodecs");
    o = a_num(o, 252);
    o = a_key(o, "videoFunction");
    o = a_num(o, 1);
    *o++ = 0;
    *o++ = 0;
    *o++ = 9;
    rtmp(c, 3, 20, 0, m, o - m);
  } else {
    uint8_t *r = memmem(c->buf, c->nbuf, "_result", 7);
    if (c->st == S_CONNECT) {
      if (!r) return;
      c->nbuf = 0;
      c->st = S_CREATE;
      uint8_t wa[4] = {0, 0x26, 0x25, 0xa0};
      rtmp(c, 2, 5, 0, wa, 4);
      o = a_str(o, "createStream");
      o = a_num(o, 2);
      *o++ = 5;
      rtmp(c, 3, 20, 0, m, o - m);
    } else if (c->st == S_CREATE) {
      if (!r || c->buf + c->nbuf - r < 7 + 9 + 1 + 9) return;
      union {
        uint64_t u;
        double d;
      } x = {0};
      for (int i = 0; i < 8; i++) x.u = x.u << 8 | r[7 + 9 + 1 + 1 + i];
      int sid = x.d;
      if (sid < 1 || sid > 255) sid = 1;
      o = a_str(o, "play");
      o = a_num(o, 3);
      *o++ = 5;
      o = a_str(o, sl + 1);
      o = a_num(o, -2000);
      rtmp(c, 8, 20, sid, m, o - m);
      uint8_t bl[10] = {0, 3, 0, 0, 0, sid, 0, 0, 0x0b, 0xb8};
      rtmp(c, 2, 4, 0, bl, 10);
      c->nbuf = 0;
      c->st = S_STREAM;
    }
  }
}

void rtmp_open(conn *c) {
  uint8_t h[1537] = {3};
  for (int i = 9; i < 1537; i++) h[i] = i * 7 + c->idx;
  c->st = S_HS;
  put(c, h, 1537);
}
void rtmp_ack(conn *c) {
  if (c->bytes - c->acked <= 2000000) return;
  c->acked = c->bytes;
  uint8_t a[4] = {c->bytes >> 24, c->bytes >> 16, c->bytes >> 8, c->bytes};
  rtmp(c, 2, 3, 0, a, 4);
}
