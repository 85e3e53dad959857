import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { isNamePart, type StreamName, streamName } from '@onair/media';
import type { FastifyReply } from 'fastify';
import { goneAtEnd, HttpProblem, type HttpServer, readByteRange, refusedForNow } from '../net/index.ts';
import { HEADER_FILE, type RecordingView, type RunView, WEBM_FILE } from '../record/index.ts';
import { Mp3Maker } from './mp3-maker.ts';
import { recordingPlaylist, TURNED } from './playlist.ts';
import { readSpan, type Span } from './span.ts';
import { type PictureTurner, TurnedRuns } from './turned-runs.ts';

/** Recordings as these routes need them. */
export interface RecordingSource {
  /** The recording of a stream that goes on, else the newest one. */
  newest(stream: StreamName): Promise<RecordingView | undefined>;
  find(stream: StreamName, id: string): Promise<RecordingView | undefined>;
}

interface PlaylistCall {
  readonly Params: { readonly app: string; readonly name: string };
}

interface FileCall {
  readonly Params: PlaylistCall['Params'] & { readonly id: string; readonly file: string };
}

const PLAYLIST_TYPE = 'application/vnd.apple.mpegurl';
/** What lies behind such an address never changes. */
const IMMUTABLE = 'public, max-age=31536000, immutable';
/** Another ffmpeg may make something else of it. */
const TURNED_AGE = 'public, max-age=3600';

/**
 * `/APP/NAME/playlist.m3u8`: the recording of the stream from its beginning, live while it is made and complete
 * afterwards, and under `/APP/NAME/recordings/ID/` its segments and the finished file. The returned function ends what
 * is being made for them.
 */
export function registerVodRoutes(
  server: HttpServer,
  recordings: RecordingSource,
  turner: PictureTurner,
): () => void {
  const mp3 = new Mp3Maker();
  const turned = new TurnedRuns(turner);
  server.registerMedia((scope) => {
    scope.get<PlaylistCall>('/:app/:name/playlist.m3u8', async (request, reply) => {
      const stream = nameOf(request.params);
      const recording = await recordings.newest(stream);
      if (recording === undefined) {
        throw new HttpProblem('STREAM_NOT_FOUND', { detail: `There is no recording of ${stream}.` });
      }
      const text = recordingPlaylist(recording, await turned.among(recording.runs));
      if (text === undefined) throw refusedForNow('NOT_READY', 1, 'the first segment is not there yet');
      const age = recording.finished ? 'no-cache' : 'public, max-age=1';
      return reply.header('cache-control', age).type(PLAYLIST_TYPE).send(text);
    });
    scope.get<PlaylistCall>('/:app/:name/playlist.webm', async (request, reply) => {
      const stream = nameOf(request.params);
      const recording = await recordings.newest(stream);
      if (recording === undefined || recording.webmBytes === 0) throw new HttpProblem('NOT_FOUND');
      reply.header('cache-control', 'no-cache');
      return reply.redirect(`recordings/${recording.id}/${WEBM_FILE}`);
    });
    scope.get<FileCall>('/:app/:name/recordings/:id/:file', async (request, reply) => {
      const { id, file } = request.params;
      const recording = await recordings.find(nameOf(request.params), id);
      if (recording === undefined) throw new HttpProblem('NOT_FOUND');
      const place = placeOf(recording, file);
      if (place !== undefined) {
        const bytes = place.turned
          ? await turned.read(place.run, place.segment, whenGone(reply))
          : await readSpan(spanOf(place));
        reply.header('cache-control', place.turned ? TURNED_AGE : IMMUTABLE);
        return reply.type(recording.audioOnly ? 'audio/mp4' : 'video/mp4').send(bytes);
      }
      if (file === WEBM_FILE && recording.webmBytes > 0)
        return sendWebm(recording, request.headers.range, reply);
      if (file === 'recording.mp3') return sendMp3(recording, mp3, reply);
      if (/^recording\.(?:mp4|m4a)$/.test(file)) return sendMovie(recording, request.headers.range, reply);
      throw new HttpProblem('NOT_FOUND');
    });
  });
  return () => turned.close();
}

function nameOf({ app, name }: PlaylistCall['Params']): StreamName {
  if (!isNamePart(app) || !isNamePart(name)) throw new HttpProblem('STREAM_NAME_INVALID');
  return streamName(app, name);
}

/** Resolves when the client is gone; one whose connection fails is, also when nobody waits for this any more. */
function whenGone({ raw, request }: FastifyReply): Promise<unknown> {
  goneAtEnd(request.raw, raw);
  return once(raw, 'close').catch(() => undefined);
}

/** A segment of a run, or its header. */
interface Place {
  readonly run: RunView;
  /** Index of the segment within the run; undefined for the header. */
  readonly segment: number | undefined;
  /** With H.264 in place of the pictures that were recorded. */
  readonly turned: boolean;
}

/** What lies behind the address of a segment or of the header of a run. */
function placeOf({ runs }: RecordingView, file: string): Place | undefined {
  const turned = file.includes(TURNED);
  const plain = file.replace(TURNED, '');
  const header = /^init-(\d{1,9})\.mp4$/.exec(plain)?.[1];
  if (header !== undefined) {
    const run = runs[Number(header)];
    return run === undefined ? undefined : { run, segment: undefined, turned };
  }
  const wanted = /^(\d{1,9})\.m4s$/.exec(plain)?.[1];
  if (wanted === undefined) return undefined;
  let left = Number(wanted);
  for (const run of runs) {
    if (run.segments[left] !== undefined) return { run, segment: left, turned };
    left -= run.segments.length;
  }
  return undefined;
}

function spanOf({ run: { path, initBytes, segments }, segment }: Place): Span {
  if (segment === undefined) return { path, from: 0, to: initBytes };
  const { start, end } = segments[segment]!;
  return { path, from: start, to: end };
}

/** A file of which all is sent. */
interface Part {
  readonly path: string;
  readonly size: number;
}

/** The finished file: its header and the media of all runs. */
function partsOf({ headerBytes, folder, runs }: RecordingView): Part[] {
  if (headerBytes === undefined) throw refusedForNow('NOT_READY', 5, 'the recording goes on still');
  return [
    { path: join(folder, HEADER_FILE), size: headerBytes },
    ...runs.map(({ path, size }) => ({ path, size })),
  ];
}

function sendMovie(recording: RecordingView, range: string | undefined, reply: FastifyReply): FastifyReply {
  const { audioOnly } = recording;
  return sendParts(partsOf(recording), range, reply, {
    type: audioOnly ? 'audio/mp4' : 'video/mp4',
    name: `${nameFor(recording)}.${audioOnly ? 'm4a' : 'mp4'}`,
  });
}

/** The sound of the finished file as MP3, made while it is sent: it has no length and no ranges. */
async function sendMp3(recording: RecordingView, mp3: Mp3Maker, reply: FastifyReply): Promise<FastifyReply> {
  const parts = partsOf(recording);
  const length = parts.reduce((sum, { size }) => sum + size, 0);
  reply
    .type('audio/mpeg')
    .header('cache-control', IMMUTABLE)
    .header('content-disposition', `inline; filename="${nameFor(recording)}.mp3"`);
  if (reply.request.method === 'HEAD' && (await mp3.available)) return reply.send();
  const source = Readable.from(readParts(parts, 0, length), { objectMode: false });
  return reply.send(await mp3.make(source, once(reply.raw, 'close')));
}

function sendWebm(recording: RecordingView, range: string | undefined, reply: FastifyReply): FastifyReply {
  const part = { path: join(recording.folder, WEBM_FILE), size: recording.webmBytes };
  return sendParts([part], range, reply, { type: 'video/webm', name: `${nameFor(recording)}.webm` });
}

function nameFor({ stream, id }: RecordingView): string {
  return `${stream.replace('/', '-')}-${id}`;
}

/** What lies in several files, one behind the other, or the range of it that was asked for (RFC 9110 §14). */
function sendParts(
  parts: readonly Part[],
  range: string | undefined,
  reply: FastifyReply,
  { type, name }: { readonly type: string; readonly name: string },
): FastifyReply {
  const length = parts.reduce((sum, { size }) => sum + size, 0);
  const wanted = readByteRange(range, length);
  reply
    .type(type)
    .header('cache-control', IMMUTABLE)
    .header('accept-ranges', 'bytes')
    .header('content-disposition', `inline; filename="${name}"`);
  if (wanted.kind === 'outside') {
    return reply.code(416).header('content-range', `bytes */${length}`).send();
  }
  const { from, to } = wanted.kind === 'part' ? wanted : { from: 0, to: length - 1 };
  if (wanted.kind === 'part') reply.code(206).header('content-range', `bytes ${from}-${to}/${length}`);
  reply.header('content-length', String(to - from + 1));
  // Whatever is no stream would set the length of the answer to its own.
  if (reply.request.method === 'HEAD') return reply.send(Readable.from([]));
  return reply.send(Readable.from(readParts(parts, from, to + 1), { objectMode: false }));
}

async function* readParts(parts: readonly Part[], from: number, to: number): AsyncGenerator<Buffer> {
  let base = 0;
  for (const { path, size } of parts) {
    const start = Math.max(0, from - base);
    const end = Math.min(size, to - base);
    base += size;
    if (end <= start) continue;
    if (size < 65_536) yield (await readFile(path)).subarray(start, end);
    else yield* createReadStream(path, { start, end: end - 1 }) as AsyncIterable<Buffer>;
  }
}
