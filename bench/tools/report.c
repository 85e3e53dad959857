/* The one JSON line that load prints. */
#include "load.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int ascending(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return x < y ? -1 : x > y;
}
static double percentile(const uint32_t *v, int k, double p) {
  if (!k) return -1;
  int i = p * (k - 1) + .5;
  return v[i] / 1000.0;
}
/* Percentiles in milliseconds of values in microseconds. */
void series(const char *name, uint32_t *v, int k) {
  qsort(v, k, 4, ascending);
  printf(",\"%s\":{\"n\":%d,\"p50\":%.2f,\"p95\":%.2f,\"p99\":%.2f,\"max\":%.2f}", name, k,
         percentile(v, k, .5), percentile(v, k, .95), percentile(v, k, .99), percentile(v, k, 1));
}
static const char *mode_name(void) {
  switch (opt.mode) {
  case FLV: return "flv";
  case WS: return "ws";
  case WSFMP4: return "wsfmp4";
  case RTMP: return "rtmp";
  case HLS: return opt.llhls ? "llhls" : "hls";
  }
  return "";
}

void report(double window, cost before, cost from, cost to, double client_cpu) {
  int n = opt.viewers, alive = 0, keyed = 0, gaps = 0, holes = 0, stalled = 0, nfirst = 0, nkey = 0;
  uint32_t max_gap = 0, *first = calloc(n, 4), *key = calloc(n, 4);
  uint64_t bytes = 0, least = ~0ull;
  for (int i = 0; i < n; i++) {
    conn *c = &viewers[i];
    bytes += c->wbytes;
    if (c->wbytes < least) least = c->wbytes;
    alive += c->fd >= 0 || opt.mode == HLS;
    keyed += c->t_key > 0;
    gaps += c->gaps;
    holes += c->holes;
    if (c->maxgap > max_gap) max_gap = c->maxgap;
    if (!c->wbytes) stalled++;
    if (c->t_first) first[nfirst++] = (c->t_first - c->t_conn) / 1000;
    if (c->t_key) {
      key_ages[nkey] = key_ages[i];
      key[nkey++] = (c->t_key - c->t_conn) / 1000;
    }
  }
  double gbit = bytes * 8 / 1e9, cpu = (to.run - from.run) / 1e9, tick = sysconf(_SC_CLK_TCK);
  printf("{\"label\":\"%s\",\"mode\":\"%s\",\"viewers\":%d,\"alive\":%d,\"keyed\":%d,\"stalled\":%d,"
         "\"errors\":%d,"
         "\"closed\":%d,\"window_s\":%.2f,\"mbit_s\":%.1f,\"kbit_per_viewer\":%.1f,\"min_viewer_kbit\":%.1f",
         opt.label, mode_name(), n, alive, keyed, stalled, nerrors, nclosed, window, gbit * 1000 / window,
         gbit * 1e6 / window / n, least * 8 / 1e3 / window);
  if (meter_active())
    printf(",\"srv\":{\"procs\":%d,\"threads\":%d,\"cpu_pct\":%.2f,\"user_pct\":%.2f,\"sys_pct\":%.2f,"
           "\"cpu_s_per_gbit\":%.4f,\"cpu_us_per_viewer_s\":%.2f,\"rss_before_kb\":%ld,\"rss_after_kb\":%ld,"
           "\"rss_kb_per_viewer\":%.2f}",
           to.procs, to.threads, cpu / window * 100, (to.ut - from.ut) / tick / window * 100,
           (to.st - from.st) / tick / window * 100, gbit > 0 ? cpu / gbit : -1, cpu / window / n * 1e6,
           before.rss, to.rss, (to.rss - before.rss) / (double)n);
  series("first_byte_ms", first, nfirst);
  series("first_key_ms", key, nkey);
  series("first_key_age_ms", key_ages, nkey);
  series("delay_ms", delays, ndelays);
  if (opt.mode == HLS) {
    series("request_ms", requests, nrequests);
    series("release_ms", releases, nreleases);
    printf(",\"playlists\":%d,\"segments\":%d", nplaylists, nsegments);
    herd_report();
  }
  printf(",\"gaps_over_%dms\":%d,\"max_gap_ms\":%u,\"frames_missing\":%d,\"client_cpu_pct\":%.1f}\n", GAP_MS,
         gaps, max_gap, holes, client_cpu / window * 100);
}
