/* Shared by the files of the load tool; see load.c for what it does. */
#ifndef LOAD_H
#define LOAD_H
#include <stdint.h>

/* The time mark that pub puts into every video frame: the magic, K or P, 8 hex digits of sequence number,
 * 16 hex digits of CLOCK_MONOTONIC nanoseconds. */
#define MAGIC "LoadToolStamp/01"
#define MARK 41
/* A pause between frames that is counted, in milliseconds. */
#define GAP_MS 500
/* Most delays that are kept for the percentiles. */
enum { MAXS = 4 << 20 };

enum mode { FLV, WS, WSFMP4, RTMP, HLS };
enum state {
  S_CONNECTING,
  S_HS,      /* RTMP handshake sent */
  S_CONNECT, /* RTMP connect sent */
  S_CREATE,  /* RTMP createStream sent */
  S_STREAM,  /* endless media */
  S_IDLE,    /* HLS: waits for the next poll */
  S_PLAYLIST,
  S_SEGMENT,
  S_STALLED, /* takes nothing any more, on purpose */
  S_DEAD
};

/* One viewer. Times are nanoseconds of CLOCK_MONOTONIC. */
typedef struct {
  int fd, st, idx;
  int sample;                            /* delays and gaps are measured on this one */
  uint64_t t_conn, t_first, t_key, last; /* connected, first byte, first keyframe, last frame */
  uint64_t bytes, wbytes, acked;         /* received, within the window, acknowledged (RTMP) */
  uint32_t seq, maxgap, gaps, holes;     /* last frame number, ms, count, frames missing */
  int have_seq, have_init;
  uint8_t carry[MARK]; /* end of the last read, for marks cut in two */
  int ncarry;
  uint8_t *buf; /* head, handshake or playlist */
  int nbuf, cap;
  struct {
    char path[512], queue[24][320]; /* playlist; segments to fetch */
    int qh, qt, lastpart, block;
    int64_t lastmsn, left;
    uint64_t due, t_req;
    int chunked, started, closed, chst, canskip;
    long chl;
    int64_t wish;    /* msn * 1000 + part that a blocking reload waits for */
    uint64_t listed; /* when the one part was listed that is being fetched; 0 if there are more */
  } h;
  uint64_t marked; /* when the publisher sent the newest frame that was seen */
} conn;

/* What the command line said. */
struct options {
  enum mode mode;
  int llhls, playlists, skip, port, viewers, rate, seconds, settle, every, streams, stall;
  const char *path, *label;
};

/* Cost of the server's processes: nanoseconds run, clock ticks, kB. */
typedef struct {
  uint64_t run, ut, st;
  long rss;
  int procs, threads;
} cost;

extern struct options opt;
extern conn *viewers;
extern int in_window;                          /* the measuring window is open */
extern uint32_t *delays, *requests, *key_ages; /* microseconds */
extern uint32_t *releases;                     /* last frame of a part sent to part listed, microseconds */
extern int ndelays, nrequests, nreleases, nsegments, nplaylists, nerrors, nclosed;

uint64_t now_ns(void);

/* meter.c */
void meter_pids(char *list);
int meter_active(void);
cost meter(void);

/* mark.c */
void scan(conn *c, const uint8_t *bytes, int size, uint64_t now);

/* load.c */
void put(conn *c, const void *bytes, int size);
void dead(conn *c, int error);
void grow(conn *c, int more);
void viewer_path(const conn *c, char *out, int size);

/* rtmp.c */
void rtmp_open(conn *c);
void rtmp_setup(conn *c, const uint8_t *bytes, int size);
void rtmp_ack(conn *c);

/* hls.c */
void hls_open(conn *c);
void hls_read(conn *c, const uint8_t *bytes, int size);
void hls_closed(conn *c);
void hls_next(conn *c);

/* herd.c: who waits for one part of a playlist */
void herd_answer(int64_t wish, uint64_t now, const uint8_t *body, int size);
void herd_report(void);

/* report.c */
void series(const char *name, uint32_t *micros, int count);
void report(double window_s, cost before, cost from, cost to, double client_cpu_s);

#endif
