// Publishes a file (`publish FILE URL`) or decodes a stream (`play URL SECONDS`) with the FFmpeg in node-av, which
// knows Enhanced RTMP. The folder of the package is in NODE_AV. Prints one JSON line.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

// node-av asks for Node 22, whose only addition it needs is this one.
Promise.withResolvers ??= () => {
  let resolve;
  let reject;
  const promise = new Promise((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
};
const entry = join(process.env.NODE_AV ?? '', 'dist/index.js');
const { Decoder, Demuxer, Muxer } = await import(pathToFileURL(entry).href);
const [mode, from, to] = process.argv.slice(2);

if (mode === 'publish') {
  const source = await Demuxer.open(from);
  const target = await Muxer.open(to, { format: 'flv' });
  const indices = source.streams.map((stream) => target.addStream(stream));
  const began = performance.now();
  let sent = 0;
  for await (const packet of source.packets()) {
    if (packet === null) break;
    const { num, den } = source.streams[packet.streamIndex].timeBase;
    const wait = (Number(packet.dts) * num * 1000) / den - (performance.now() - began);
    if (wait > 1) await new Promise((resolve) => setTimeout(resolve, wait));
    await target.writePacket(packet, indices[packet.streamIndex]);
    packet.free?.();
    if (++sent === 1) process.stdout.write(`${JSON.stringify({ begun: true })}\n`);
  }
  await target.close();
  process.stdout.write(`${JSON.stringify({ sent })}\n`);
} else {
  const source = await Demuxer.open(from, {
    options: { rtmp_enhanced_codecs: 'hvc1,av01,vp09', analyzeduration: '1500000' },
  });
  const decoders = new Map();
  const tracks = [];
  for (const stream of source.streams) {
    const track = { codec: stream.codecpar.codecId, frames: 0 };
    tracks.push(track);
    try {
      decoders.set(stream.index, await Decoder.create(stream));
    } catch {
      track.codec = 'data';
    }
  }
  const end = performance.now() + Number(to) * 1000;
  for await (const packet of source.packets()) {
    if (packet === null || performance.now() > end) break;
    const frames = await decoders.get(packet.streamIndex)?.decodeAll(packet);
    tracks[packet.streamIndex].frames += frames?.length ?? 0;
    for (const frame of frames ?? []) frame?.free?.();
    packet.free?.();
  }
  process.stdout.write(`${JSON.stringify({ tracks })}\n`);
}
process.exit(0);
