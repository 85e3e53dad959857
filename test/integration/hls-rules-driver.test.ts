import type { HlsRule } from '@onair/media/hls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkHlsRules, type HlsRulesReport, Scope, startPublisher, until } from '../kit/index.ts';
import { startTestServer } from '../kit/server.ts';
import { type PassingAnswer, startTamperingProxy, tamperText } from '../kit/tampering-proxy.ts';

const SECONDS = 4;
/** Enough for two comparisons of delta updates. */
const VERSIONS = 10;
/** Checks that run at the same time. */
const AT_ONCE = 5;

const replaced =
  (pattern: RegExp, by: string) =>
  (answer: PassingAnswer): void =>
    tamperText(answer, (text) => text.replace(pattern, by));

/** Moves every decoding time of a CMAF file by `ticks`. */
function moved(answer: PassingAnswer, ticks: number): void {
  const body = Buffer.from(answer.body);
  for (let at = body.indexOf('tfdt'); at >= 0; at = body.indexOf('tfdt', at + 4)) {
    body.writeUInt32BE((body.readUInt32BE(at + 12) + ticks) >>> 0, at + 12);
  }
  answer.body = body;
}

/** Marks every sample of a CMAF file as no keyframe. */
function dependent(answer: PassingAnswer): void {
  const body = Buffer.from(answer.body);
  for (let at = body.indexOf('trun'); at >= 0; at = body.indexOf('trun', at + 4)) {
    body.writeUInt32BE(0x0101_0000, at + 24);
  }
  answer.body = body;
}

const isSegment = ({ path }: PassingAnswer): boolean => /\/s\d+\.m4s$/.test(path);
const isOdd = ({ path }: PassingAnswer): boolean => /[13579]\.m4s$/.test(path);
const isPart = ({ path }: PassingAnswer): boolean => /\/p\d+\.m4s$/.test(path);
const isMedia = ({ path }: PassingAnswer): boolean => /\/hls\/\w+\.m3u8/.test(path);
/** Changes with every answer, as a server must not. */
let turn = 0;

/** What is done to the answers of a good server, and the rule that is broken by it. */
const TAMPERED: readonly [HlsRule, string, (answer: PassingAnswer) => void][] = [
  ['text', 'a byte order mark', (answer) => isMedia(answer) && tamperText(answer, (text) => `\ufeff${text}`)],
  [
    'media-type',
    'x-mpegURL',
    (answer) => {
      if (isMedia(answer)) answer.headers.set('content-type', 'application/x-mpegURL');
    },
  ],
  ['gzip', 'plain text', (answer) => void answer.headers.delete('content-encoding')],
  ['target-duration', 'a target of nothing', replaced(/(TARGETDURATION:)\d+/, '$10')],
  ['version', 'a version below the tags', replaced(/(EXT-X-VERSION:)\d+/, '$15')],
  ['variants', 'no CODECS', replaced(/CODECS="[^"]*",/, '')],
  ['bandwidth', 'half of BANDWIDTH', replaced(/(:BANDWIDTH=)\d+/, '$1100000')],
  ['keyframe-at-start', 'segments without keyframes', (answer) => isSegment(answer) && dependent(answer)],
  [
    'status',
    'segments that are refused',
    (answer) => {
      if (isSegment(answer)) answer.status = 404;
    },
  ],
  [
    'segment-duration',
    'durations 10 ms too long',
    (answer) =>
      tamperText(answer, (text) =>
        text.replace(/#EXTINF:([\d.]+)/g, (_, seconds) => `#EXTINF:${(Number(seconds) + 0.01).toFixed(5)}`),
      ),
  ],
  [
    'continuity',
    'every other segment a tick late',
    (answer) => isSegment(answer) && isOdd(answer) && moved(answer, 1),
  ],
  ['start-together', 'sound 50 ms late', (answer) => answer.path.includes('/audio/') && moved(answer, 2205)],
  [
    'update',
    'titles that change',
    (answer) => tamperText(answer, (text) => text.replace(/(\n)([^#\n]+\/s\d+\.m4s)/, `$1$2?${turn++}`)),
  ],
  [
    'sequence',
    'discontinuities out of thin air',
    (answer) =>
      isMedia(answer) &&
      tamperText(answer, (text) =>
        text.replace(
          /(#EXT-X-MEDIA-SEQUENCE:\d+\n)(#EXT-X-DISCONTINUITY-SEQUENCE:\d+\n)?/,
          `$1#EXT-X-DISCONTINUITY-SEQUENCE:${turn++}\n`,
        ),
      ),
  ],
  ['date', 'no dates', replaced(/#EXT-X-PROGRAM-DATE-TIME:.*\n/g, '')],
  [
    'date-agreement',
    'sound of another year',
    (answer) =>
      answer.path.includes('audio') &&
      tamperText(answer, (text) => text.replace(/TIME:20\d\d/g, 'TIME:2020')),
  ],
  ['server-control', 'no room behind the end', replaced(/PART-HOLD-BACK=[\d.]+/, 'PART-HOLD-BACK=0.1')],
  ['part-duration', 'parts told as half', replaced(/(#EXT-X-PART:DURATION=)[\d.]+/g, '$10.1')],
  ['part-content', 'parts other than the segment', (answer) => isPart(answer) && moved(answer, 1)],
  [
    'independent',
    'every part independent',
    replaced(/(#EXT-X-PART:(?!.*INDEPENDENT).*)/g, '$1,INDEPENDENT=YES'),
  ],
  [
    'blocking-reload',
    '200 for what is too far',
    (answer) => {
      if (answer.status === 400) answer.status = 200;
    },
  ],
  ['delta', 'one more is skipped', replaced(/SKIPPED-SEGMENTS=\d+/, 'SKIPPED-SEGMENTS=99')],
  [
    'preload-hint',
    'hints at the part after the next',
    (answer) =>
      tamperText(answer, (text) =>
        text.replace(/(HINT:TYPE=PART,URI="\w+\/p)(\d+)/, (_, head, number) => head + (Number(number) + 1)),
      ),
  ],
  [
    'rendition-report',
    'reports that are ahead',
    (answer) =>
      tamperText(answer, (text) =>
        // Further than the other playlist comes until it is looked at on a busy machine.
        text.replace(/LAST-MSN=(\d+)/g, (_, number) => `LAST-MSN=${Number(number) + 4}`),
      ),
  ],
  ['caching', 'nothing may be kept', (answer) => void answer.headers.set('cache-control', 'no-store')],
];

const scope = new Scope();
const reports = new Map<string, Promise<HlsRulesReport>>();

/** All over one stream. */
beforeAll(async () => {
  const server = await startTestServer(scope, { 'hls.segmentMs': '1000', 'hls.windowSegments': '16' });
  await startPublisher(scope, { url: `${server.rtmp}/live/good`, size: '160x90', gopSeconds: 1 });
  const path = '/live/good/index.m3u8';
  await until(async () => (await fetch(server.http + path)).ok);
  // Long enough for delta updates to skip something.
  const delta = `${server.http}/live/good/hls/video.m3u8?_HLS_skip=YES`;
  await until(async () => (await (await fetch(delta)).text()).includes('#EXT-X-SKIP'), { timeoutMs: 40_000 });
  let before: Promise<unknown> = Promise.resolve();
  for (let at = 0; at < TAMPERED.length; at += AT_ONCE) {
    const group = TAMPERED.slice(at, at + AT_ONCE);
    const ready = before;
    const running = group.map(async ([rule, , tamper]) => {
      const proxy = await startTamperingProxy(scope, server.http, (answer) => void tamper(answer));
      await ready;
      return [
        rule,
        await checkHlsRules(proxy + path, {
          seconds: SECONDS,
          versions: rule === 'text' ? 0 : VERSIONS,
          slackMs: () => 30_000,
        }),
      ] as const;
    });
    for (const [i, [rule]] of group.entries())
      reports.set(
        rule,
        running[i]!.then(([, report]) => report),
      );
    before = Promise.all(running);
  }
});

afterAll(() => scope.close());

describe('the check of HLS rules, against a server that breaks them', () => {
  it.each(TAMPERED)('finds %s: %s', { timeout: 200_000 }, async (rule) => {
    const { findings, looked } = await reports.get(rule)!;
    console.info(rule, JSON.stringify(looked), findings.length);
    const found = new Set(findings.map((finding) => finding.slice(0, finding.indexOf(':'))));
    expect([...found]).toContain(rule);
  });
});
