import type { SessionInfo, StreamInfo, TrackInfo } from '@onair/contracts';

/** What the statistics tell of. */
export interface StatView {
  readonly streams: readonly StreamInfo[];
  readonly sessions: readonly SessionInfo[];
  readonly version: string;
  /** Seconds since the start. */
  readonly uptime: number;
  /** ms since 1970. */
  readonly now: number;
  /** Bits per second to viewers of a stream, as far as known. */
  bitrateOut(stream: string): number;
  /** Number of a session, as `drop` takes it. */
  idOf(session: SessionInfo): number;
}

const CODECS: Readonly<Record<string, string>> = {
  h264: 'H264',
  hevc: 'H265',
  aac: 'AAC',
  mp3: 'MP3',
  opus: 'OPUS',
};

/** The statistics of nginx-rtmp (`rtmp_stat all`), its elements in its order. */
export function statXml(view: StatView): string {
  const apps = new Map<string, StreamInfo[]>();
  for (const stream of view.streams) {
    const app = stream.name.slice(0, stream.name.indexOf('/'));
    apps.set(app, [...(apps.get(app) ?? []), stream]);
  }
  const total = (read: (stream: StreamInfo) => number): number =>
    Math.round(view.streams.reduce((sum, stream) => sum + read(stream), 0));
  const applications = [...apps].map(([app, streams]) => applicationXml(app, streams, view));
  return [
    '<?xml version="1.0" encoding="utf-8" ?>\n<rtmp>',
    tag('nginx_version', `onair ${view.version}`),
    tag('nginx_rtmp_version', '1.1.4'),
    tag('pid', process.pid),
    tag('uptime', Math.floor(view.uptime)),
    tag('naccepted', view.sessions.length),
    tag(
      'bw_in',
      total(({ bitrateIn }) => bitrateIn),
    ),
    tag(
      'bytes_in',
      total(({ bytesIn }) => bytesIn),
    ),
    tag(
      'bw_out',
      total(({ name }) => view.bitrateOut(name)),
    ),
    tag(
      'bytes_out',
      total(({ bytesOut }) => bytesOut),
    ),
    `<server>${applications.join('')}</server>`,
    '</rtmp>\n',
  ].join('\n');
}

function applicationXml(app: string, streams: readonly StreamInfo[], view: StatView): string {
  let clients = 0;
  const texts = streams.map((stream) => {
    const own = view.sessions.filter((session) => session.stream === stream.name);
    clients += own.length;
    return streamXml(stream, own, view);
  });
  return `<application>${tag('name', app)}<live>${texts.join('')}${tag('nclients', clients)}</live></application>`;
}

function streamXml(stream: StreamInfo, own: readonly SessionInfo[], view: StatView): string {
  const { name, since, publisher, tracks } = stream;
  const find = (kind: TrackInfo['kind']): TrackInfo | undefined =>
    tracks.find((track) => track.kind === kind);
  const [video, audio] = [find('video'), find('audio')];
  const live = stream.state === 'live';
  const sound = Math.min(stream.bitrateIn, audio?.bitrate ?? 0);
  return [
    '<stream>',
    tag('name', name.slice(name.indexOf('/') + 1)),
    tag('time', Math.max(0, Math.round(view.now - (publisher?.since ?? since)))),
    tag('bw_in', Math.round(stream.bitrateIn)),
    tag('bytes_in', stream.bytesIn),
    tag('bw_out', Math.round(view.bitrateOut(name))),
    tag('bytes_out', stream.bytesOut),
    tag('bw_audio', Math.round(sound)),
    tag('bw_video', Math.round(stream.bitrateIn - sound)),
    ...own.map((session) => clientXml(session, view)),
    ...(live && tracks.length > 0
      ? [
          `<meta>${video === undefined ? '' : videoXml(video)}${audio === undefined ? '' : audioXml(audio)}</meta>`,
        ]
      : []),
    tag('nclients', own.length),
    ...(live ? ['<publishing/>'] : []),
    '<active/>',
    '</stream>',
  ].join('');
}

function clientXml(session: SessionInfo, view: StatView): string {
  const time = Math.max(0, Math.round(view.now - session.since));
  return [
    '<client>',
    tag('id', view.idOf(session)),
    tag('address', session.address),
    tag('time', time),
    tag('flashver', session.agent ?? session.protocol),
    tag('dropped', session.dropped),
    tag('avsync', 0),
    tag('timestamp', time),
    ...(session.kind === 'publisher' ? ['<publishing/>'] : []),
    '<active/>',
    '</client>',
  ].join('');
}

function videoXml({ width = 0, height = 0, frameRate = 0, codec }: TrackInfo): string {
  const facts = [tag('width', width), tag('height', height), tag('frame_rate', Math.round(frameRate))];
  return `<video>${facts.join('')}${tag('codec', CODECS[codec] ?? codec.toUpperCase())}</video>`;
}

function audioXml({ channels = 0, sampleRate = 0, codec }: TrackInfo): string {
  const facts = [tag('codec', CODECS[codec] ?? codec.toUpperCase()), tag('channels', channels)];
  return `<audio>${facts.join('')}${tag('sample_rate', sampleRate)}</audio>`;
}

function tag(name: string, value: string | number): string {
  return `<${name}>${escaped(String(value))}</${name}>`;
}

/** Text of XML: what XML 1.0 has no place for is left out. */
function escaped(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd]/g, '')
    .replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
