import { connect } from 'node:tls';
import {
  checkCaching,
  checkGone,
  checkMultivariantPlaylist,
  checkPace,
  checkPlaylistAnswer,
  checkPresentation,
  checkProbe,
  checkRemoved,
  checkReports,
  checkSequence,
  checkTransport,
  checkWindow,
  type Fault,
  type HlsContainer,
  lastSequence,
  listedSeconds,
  type MeasuredRendition,
  type MediaPlaylist,
  type MultivariantPlaylist,
  type ReloadProbe,
} from '@onair/media/hls';
import { askHls, resolveUri, withQuery } from './hls-ask.ts';
import { HlsFindings } from './hls-findings.ts';
import { HlsMediaReader } from './hls-media-reader.ts';
import { plainPlaylist, RenditionWatch, wishQuery } from './hls-rendition-watch.ts';

/** How {@link checkHlsRules} looks. */
export interface HlsRulesOptions {
  /** How long playlists are followed. */
  readonly seconds: number;
  /** Versions of each playlist that are waited for, also beyond `seconds`; default none. */
  readonly versions?: number;
  /** Default `fmp4`. */
  readonly container?: HlsContainer;
  /** False: what only should be otherwise is not told. Default true. */
  readonly strict?: boolean;
  /** Milliseconds that a busy machine may add to what has its time, asked for at the end; default 250. */
  readonly slackMs?: () => number;
  /** Port of the same server's TLS, if it has one. */
  readonly tlsPort?: number | undefined;
}

/** What {@link checkHlsRules} found. */
export interface HlsRulesReport {
  /** What breaks a rule, in words; empty if nothing does. */
  readonly findings: readonly string[];
  /** How much was looked at. */
  readonly looked: {
    readonly playlists: number;
    readonly versions: number;
    readonly segments: number;
    readonly addresses: number;
    readonly hints: number;
    readonly removed: number;
  };
}

/** Checks every rule of {@link HLS_RULES} against a running server. @param url of a multivariant playlist. */
export async function checkHlsRules(url: string, options: HlsRulesOptions): Promise<HlsRulesReport> {
  const { seconds, versions = 0, container = 'fmp4', strict = true, slackMs = () => 250, tlsPort } = options;
  const findings = new HlsFindings(strict);
  const found = (faults: readonly Fault[]): void => findings.add(faults);
  const first = await multivariant(url, found);
  if (first === undefined) return report(findings, []);
  const watches = addressesOf(first).map((uri) => {
    const absolute = resolveUri(uri, url);
    const own = (faults: readonly Fault[]): void => findings.add(faults, uri);
    const media = new HlsMediaReader(absolute, container, own);
    return { uri, watch: new RenditionWatch({ url: absolute, media, found: own, slackMs }) };
  });
  await Promise.all(watches.map(({ watch }) => watch.follow(seconds, versions)));
  for (const { uri, watch } of watches) findings.add(await judgeAlone(watch, slackMs()), uri);
  const all = watches.map(({ watch }) => watch);
  for (const { uri, watch } of watches) {
    findings.add(
      checkReports(
        watch,
        all.filter((other) => other !== watch),
        resolveUri,
      ),
      uri,
    );
  }
  const addresses = all.flatMap((watch) => [watch.url, ...watch.media.fetched]);
  if (all.some(({ seen }) => seen.at(-1)?.playlist.partTarget !== undefined)) {
    found(checkTransport([url, ...addresses], tlsPort === undefined ? undefined : await protocolOf(tlsPort)));
  }
  const newest = await multivariant(url, found);
  const measured = watches.filter(({ watch }) => watch.seen.length > 0).map(measuredRendition);
  if (newest !== undefined) found(checkPresentation(newest, measured));
  return report(findings, all);
}

/**
 * Checks that a reload is answered with 503 after three target durations while a stream stands still.
 * @param url of a media playlist of a stream whose publisher sends nothing.
 * @param slackMs milliseconds that a busy machine may add.
 */
export async function checkStalledReload(url: string, slackMs = 0): Promise<readonly string[]> {
  const findings = new HlsFindings(true);
  const { playlist } = checkPlaylistAnswer(await askHls(url));
  if (playlist?.kind !== 'media') return [`${url}: no media playlist`];
  const answer = await askHls(withQuery(url, `_HLS_msn=${lastSequence(playlist.media) + 2}`));
  findings.add(checkProbe('stalled', answer, playlist.media.targetDuration, slackMs));
  return findings.lines;
}

/** What TLS on a port of loopback chooses when HTTP/2 and HTTP/1.1 are offered. */
function protocolOf(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const offer = { port, host: '127.0.0.1', ALPNProtocols: ['h2', 'http/1.1'], rejectUnauthorized: false };
    const socket = connect(offer, () => {
      resolve(socket.alpnProtocol || '');
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

async function multivariant(
  url: string,
  found: (faults: readonly Fault[]) => void,
): Promise<MultivariantPlaylist | undefined> {
  const answer = await askHls(url);
  const { faults, playlist } = checkPlaylistAnswer(answer);
  found(faults);
  if (playlist?.kind !== 'multivariant') {
    found([
      { rule: 'text', severity: 'must', clause: 'RFC 8216 §4.3.4', message: `${url}: not multivariant` },
    ]);
    return undefined;
  }
  found(checkMultivariantPlaylist(playlist.multivariant));
  return playlist.multivariant;
}

function addressesOf({ variants, renditions }: MultivariantPlaylist): string[] {
  const uris = [...variants, ...renditions].flatMap(({ uri }) => (uri === undefined ? [] : [uri]));
  return [...new Set(uris)];
}

/** What one rendition shows by itself once it was followed. */
async function judgeAlone(watch: RenditionWatch, slackMs: number): Promise<Fault[]> {
  const { url, seen, media } = watch;
  if (seen.length === 0) return [];
  const faults = [...checkPace(url, seen, slackMs), ...checkSequence(media.measured)];
  faults.push(...checkWindow(url, watch.last, watch.seconds));
  for (const removed of watch.removed) {
    faults.push(...checkRemoved(removed, await askHls(resolveUri(removed.segment.uri, url))));
  }
  const uri = watch.last.segments.at(-1)?.uri;
  if (uri !== undefined) {
    const never = uri.replace(/\d+/g, (digits) => String(Number(digits) + 1_000_000));
    faults.push(...checkGone(await askHls(resolveUri(never, url))));
  }
  faults.push(...checkGone(await askHls(url.replace(/[^/]+\.m3u8/, 'nothing.m3u8'))));
  if (watch.last.serverControl?.canBlockReload === true) faults.push(...(await judgeReloads(watch, slackMs)));
  return faults;
}

/** Requests that test the answers a server gives by its state alone. */
const PROBES: readonly [ReloadProbe, (playlist: MediaPlaylist) => string][] = [
  ['too-far', (playlist) => `_HLS_msn=${lastSequence(playlist) + 4}`],
  ['part-alone', () => '_HLS_part=0'],
  ['past', ({ mediaSequence: msn }) => wishQuery({ msn, part: 0 })],
  ['unknown-query', () => 'unknown=1&_HLS_other=2'],
];
/** A busy machine may make an answer slow, and its question old. */
const ATTEMPTS = 4;

async function judgeReloads({ url, last }: RenditionWatch, slackMs: number): Promise<Fault[]> {
  const faults: Fault[] = [];
  for (const [probe, query] of PROBES) {
    let found: Fault[] = [];
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const playlist = await plainPlaylist(url);
      const answer = await askHls(withQuery(url, query(playlist)));
      found = checkProbe(probe, answer, last.targetDuration, slackMs);
      if (found.length === 0) break;
    }
    faults.push(...found);
  }
  faults.push(...checkCaching(await askHls(url), last.targetDuration, undefined));
  return faults;
}

function measuredRendition({ uri, watch }: { uri: string; watch: RenditionWatch }): MeasuredRendition {
  const { version, targetDuration } = watch.last;
  const { measured: segments, init } = watch.media;
  // A window that was not full has lost nothing yet.
  const whole = listedSeconds(watch.seen[0]!.playlist) < 3 * targetDuration;
  const listedFrom = watch.last.mediaSequence;
  return { uri, version, targetDuration, segments, init, whole, listedFrom };
}

function report(findings: HlsFindings, watches: readonly RenditionWatch[]): HlsRulesReport {
  const sum = (of: (watch: RenditionWatch) => number): number =>
    watches.reduce((total, watch) => total + of(watch), 0);
  return {
    findings: findings.lines,
    looked: {
      playlists: watches.length,
      versions: sum(({ seen }) => seen.length),
      segments: sum(({ media }) => media.segments.size),
      addresses: sum(({ media }) => media.fetched.length),
      hints: sum(({ hints }) => hints),
      removed: sum(({ removed }) => removed.length),
    },
  };
}
