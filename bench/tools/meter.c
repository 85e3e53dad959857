/* The server's cost: the sum over the given pids, their descendants and all threads. */
#define _GNU_SOURCE
#include "load.h"
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int pids[64], npids;

void meter_pids(char *list) {
  for (char *q = strtok(list, ","); q && npids < 64; q = strtok(0, ",")) pids[npids++] = atoi(q);
}
int meter_active(void) { return npids > 0; }

static int tree[4096], ntree;
static void grow_tree(void) {
  ntree = 0;
  for (int i = 0; i < npids; i++) tree[ntree++] = pids[i];
  static int pp[65536], pi[65536];
  int k = 0;
  DIR *d = opendir("/proc");
  struct dirent *e;
  while ((e = readdir(d)))
    if (isdigit((unsigned char)e->d_name[0]) && k < 65536) {
      char f[64], b[1024];
      snprintf(f, sizeof f, "/proc/%.20s/stat", e->d_name);
      int fd = open(f, O_RDONLY);
      if (fd < 0) continue;
      int m = read(fd, b, sizeof b - 1);
      close(fd);
      if (m <= 0) continue;
      b[m] = 0;
      char *q = strrchr(b, ')');
      int ppid;
      if (q && sscanf(q + 2, "%*c %d", &ppid) == 1) {
        pi[k] = atoi(e->d_name);
        pp[k++] = ppid;
      }
    }
  closedir(d);
  for (int grew = 1; grew;) {
    grew = 0;
    for (int i = 0; i < k; i++) {
      int in = 0, par = 0;
      for (int j = 0; j < ntree; j++) {
        in |= tree[j] == pi[i];
        par |= tree[j] == pp[i];
      }
      if (par && !in && ntree < 4096) {
        tree[ntree++] = pi[i];
        grew = 1;
      }
    }
  }
}
cost meter(void) {
  cost c = {0};
  if (!npids) return c;
  grow_tree();
  for (int i = 0; i < ntree; i++) {
    char f[96], b[1024];
    snprintf(f, sizeof f, "/proc/%d/task", tree[i]);
    DIR *d = opendir(f);
    if (!d) continue;
    struct dirent *e;
    c.procs++;
    while ((e = readdir(d)))
      if (isdigit((unsigned char)e->d_name[0])) {
        char g[160];
        snprintf(g, sizeof g, "%s/%.20s/schedstat", f, e->d_name);
        FILE *h = fopen(g, "r");
        unsigned long long r;
        if (h) {
          if (fscanf(h, "%llu", &r) == 1) c.run += r;
          fclose(h);
          c.threads++;
        }
      }
    closedir(d);
    snprintf(f, sizeof f, "/proc/%d/stat", tree[i]);
    FILE *h = fopen(f, "r");
    if (h) {
      int m = fread(b, 1, sizeof b - 1, h);
      b[m] = 0;
      fclose(h);
      char *q = strrchr(b, ')');
      unsigned long u, s;
      if (q && sscanf(q + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &u, &s) == 2) {
        c.ut += u;
        c.st += s;
      }
    }
    snprintf(f, sizeof f, "/proc/%d/smaps_rollup", tree[i]);
    h = fopen(f, "r");
    if (h) {
      while (fgets(b, sizeof b, h)) {
        long v;
        if (sscanf(b, "Rss: %ld", &v) == 1) c.rss += v;
      }
      fclose(h);
    }
  }
  return c;
}
