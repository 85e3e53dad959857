/* Who waits for the same part of a playlist is one herd: how far apart its members are answered, and with how many
 * different answers. */
#include "load.h"
#include <stdio.h>
#include <stdlib.h>

/* Herds that are told apart, and different answers that are counted in each. */
enum { HERDS = 4096, KINDS = 8 };

static struct {
  int64_t wish;
  uint64_t first, last;
  int count, kinds;
  uint64_t kind[KINDS];
} herds[HERDS];
static int nherds;

void herd_answer(int64_t wish, uint64_t now, const uint8_t *body, int size) {
  uint64_t sum = 14695981039346656037ull;
  for (int i = 0; i < size; i++) sum = (sum ^ body[i]) * 1099511628211ull;
  int at = nherds - 1;
  while (at >= 0 && herds[at].wish != wish) at--;
  if (at < 0) {
    if (nherds == HERDS) return;
    at = nherds++;
    herds[at].wish = wish;
    herds[at].first = now;
  }
  herds[at].last = now;
  herds[at].count++;
  for (int i = 0; i < herds[at].kinds; i++)
    if (herds[at].kind[i] == sum) return;
  if (herds[at].kinds < KINDS) herds[at].kind[herds[at].kinds++] = sum;
}
/* Only herds that all viewers belong to: at both ends of the window some have been answered outside of it. */
void herd_report(void) {
  uint32_t *spread = calloc(nherds + 1, sizeof *spread);
  int whole = 0, kinds = 0;
  for (int i = 0; i < nherds; i++) {
    if (herds[i].count != opt.viewers) continue;
    spread[whole++] = (herds[i].last - herds[i].first) / 1000;
    if (herds[i].kinds > kinds) kinds = herds[i].kinds;
  }
  series("herd_spread_ms", spread, whole);
  printf(",\"herds\":%d,\"herd_answers\":%d", nherds, kinds);
  free(spread);
}
