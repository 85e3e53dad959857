import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FMP4_TYPE, type Fmp4Header, writeFmp4Header } from '@onair/contracts/fmp4-socket';
import { configTag, encodeFlvTag, encodeSampleAsFlvTag, flvFileHeader } from '@onair/media/flv';
import { chunk, initSegment } from '@onair/media/isobmff';
import type { Sample } from '@onair/media/model';
import { afterEach, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { DemoSource } from '../demo/index.ts';
import { playStream } from './play-source.ts';

const clock = { now: 1_795_000_000_000 };
const demo = new DemoSource({ clock: () => clock.now, width: 320, height: 180 });
const samples: Sample[] = demo.next();
clock.now += 900;
samples.push(...demo.next());

const FLV = Buffer.concat([
  flvFileHeader({ audio: true, video: true }),
  ...demo.tracks.map((track) => encodeFlvTag({ ...configTag(track)!, timestampMs: 0 })),
  ...samples.map(encodeSampleAsFlvTag),
]);

function fmp4Message(type: number, track: number, payload: Uint8Array): Uint8Array {
  const header: Fmp4Header = {
    ...{ type, track, independent: false, discontinuity: false, epoch: 1, sequence: 1 },
    ...{ time: 0, duration: 0, compositionOffset: 0, wallClock: 0 },
  };
  const out = new Uint8Array(40 + payload.length);
  writeFmp4Header(out, 0, header);
  out.set(payload, 40);
  return out;
}

const FMP4 = [
  ...demo.tracks.map((track) => fmp4Message(FMP4_TYPE.init, track.id, initSegment(track))),
  ...samples.map((sample) => {
    const { track, dts: baseDecodeTime, duration } = sample;
    const bytes = chunk({ track, sequence: 1, baseDecodeTime, samples: [sample], durations: [duration!] });
    return fmp4Message(FMP4_TYPE.chunk, track.id, bytes);
  }),
];

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function serve(): Promise<string> {
  server = createServer((request, response) => {
    if (request.url !== '/live/demo.flv') response.writeHead(404).end();
    else {
      response.write(FLV.subarray(0, 5000));
      response.end(FLV.subarray(5000));
    }
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket, request) => {
    if (request.url?.endsWith('.fmp4')) {
      socket.send(JSON.stringify({ type: 'hello' }));
      for (const message of FMP4) socket.send(message);
      socket.close(1000);
    } else {
      for (let at = 0; at < FLV.length; at += 1000) socket.send(FLV.subarray(at, at + 1000));
      socket.close(request.url === '/live/demo.flv' ? 1000 : 1013, 'too slow');
    }
  });
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function play(url: string): Promise<{ got: Sample[]; bytes: number }> {
  const got: Sample[] = [];
  let bytes = 0;
  const sink = {
    bytes: (count: number): void => {
      bytes += count;
    },
    sample: (sample: Sample): void => void got.push(sample),
  };
  await playStream(url, sink, new AbortController().signal);
  return { got, bytes };
}

const content = (of: readonly Sample[]): string[] =>
  of.map(({ track, data }) => `${track.parameters.kind} ${Buffer.from(data).toString('base64')}`);

it.each(['http://HOST/live/demo.flv', 'ws://HOST/live/demo.flv', 'ws://HOST/live/demo.fmp4'])(
  'plays %s: every sample, unchanged',
  async (url) => {
    const { got, bytes } = await play(url.replace('HOST', await serve()));
    expect(content(got)).toEqual(content(samples));
    expect(bytes).toBeGreaterThanOrEqual(samples.reduce((sum, { data }) => sum + data.length, 0));
  },
);

it('tells what the server said against it', async () => {
  const host = await serve();
  await expect(play(`http://${host}/live/none.flv`)).rejects.toThrow('404 Not Found');
  await expect(play(`ws://${host}/live/other.flv`)).rejects.toThrow('the server closed with 1013 too slow');
  await expect(play(`http://${host.replace(/\d+$/, '1')}/live/demo.flv`)).rejects.toThrow();
});

it('ends without complaint when told to', async () => {
  const host = await serve();
  const abort = new AbortController();
  const sink = { bytes: () => undefined, sample: () => abort.abort() };
  for (const url of [`http://${host}/live/demo.flv`, `ws://${host}/live/demo.fmp4`]) {
    await playStream(url, sink, abort.signal);
  }
  expect(abort.signal.aborted).toBe(true);
});
