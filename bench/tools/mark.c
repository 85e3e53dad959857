/* Finds the time marks in whatever bytes arrive and keeps delays, gaps and missing frames. */
#define _GNU_SOURCE
#include "load.h"
#include <string.h>

static uint64_t hex(const uint8_t *p, int k) {
  uint64_t v = 0;
  while (k--) {
    int c = *p++;
    v = v << 4 | (c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
  }
  return v;
}
static void mark(conn *c, const uint8_t *p, uint64_t t) {
  uint32_t seq = hex(p + 17, 8);
  uint64_t sent = hex(p + 25, 16);
  c->marked = sent;
  if (!c->t_key && p[16] == 'K' && (opt.mode != WSFMP4 || c->have_init)) {
    c->t_key = t;
    key_ages[c->idx] = t > sent ? (t - sent) / 1000 : 0;
  }
  if (c->have_seq && seq > c->seq + 1 && in_window) c->holes += seq - c->seq - 1;
  if (in_window && t > sent) {
    if (ndelays < MAXS) delays[ndelays++] = (t - sent) / 1000;
    if (c->last) {
      uint32_t g = (t - c->last) / 1000000;
      if (g > c->maxgap) c->maxgap = g;
      if (g > GAP_MS) c->gaps++;
    }
  }
  c->seq = seq;
  c->have_seq = 1;
  c->last = t;
}
void scan(conn *c, const uint8_t *b, int k, uint64_t t) {
  uint8_t w[2 * MARK];
  /* A keyframe can be shown only once the tracks' init segments were there. */
  if (opt.mode == WSFMP4 && !c->have_init) c->have_init = memmem(b, k, "moov", 4) != 0;
  if (c->ncarry) {
    int add = k < MARK - 1 ? k : MARK - 1;
    memcpy(w, c->carry, c->ncarry);
    memcpy(w + c->ncarry, b, add);
    int m = c->ncarry + add;
    const uint8_t *q = memmem(w, m, MAGIC, 16);
    if (q && q - w + MARK <= m && q - w < c->ncarry) mark(c, q, t);
  }
  const uint8_t *p = b, *e = b + k, *q;
  while (e - p >= MARK && (q = memmem(p, e - p, MAGIC, 16)) && e - q >= MARK) {
    mark(c, q, t);
    p = q + MARK;
  }
  int keep = k < MARK - 1 ? k : MARK - 1;
  if (keep + c->ncarry <= MARK - 1 && k < MARK - 1) {
    memcpy(c->carry + c->ncarry, b, k);
    c->ncarry += k;
  } else {
    memcpy(c->carry, e - keep, keep);
    c->ncarry = keep;
  }
}
