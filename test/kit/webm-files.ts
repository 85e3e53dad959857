import { concatBytes } from '../../packages/media/src/bytes/index.ts';
import type { ParseError } from '../../packages/media/src/model/errors.ts';
import type { Sample, Track } from '../../packages/media/src/model/sample.ts';
import { ID } from '../../packages/media/src/webm/element-id.ts';
import {
  element,
  floatElement,
  master,
  textElement,
  uintElement,
} from '../../packages/media/src/webm/element-writer.ts';
import { WebmDemuxer, type WebmInit } from '../../packages/media/src/webm/index.ts';

/** A VP8 frame of 64×48 pixels; only its header is one. */
export function vp8Frame(key: boolean, size = 24, fill = 0x55): Uint8Array {
  const frame = new Uint8Array(Math.max(10, size)).fill(fill);
  frame.set(key ? [0x10, 0, 0, 0x9d, 0x01, 0x2a, 64, 0, 48, 0] : [0x11, 0, 0]);
  return frame;
}

/** An Opus packet of 20 ms; only its first octet is one. */
export function opusPacket(size = 12, fill = 0x33): Uint8Array {
  const packet = new Uint8Array(size).fill(fill);
  packet[0] = 0xf8;
  return packet;
}

/** OpusHead of two channels. @param preSkip frames. */
export function opusHead(preSkip = 0): Uint8Array {
  const head = [...new TextEncoder().encode('OpusHead'), 1, 2, preSkip & 0xff, preSkip >> 8];
  return Uint8Array.of(...head, 0x80, 0xbb, 0, 0, 0, 0, 0);
}

/** An EBML header. */
export function ebmlHeader(docType = 'webm', readVersion = 2): Uint8Array {
  return master(ID.EBML, [textElement(ID.DocType, docType), uintElement(ID.DocTypeReadVersion, readVersion)]);
}

/** An element of unknown size with its content. */
export function endless(id: number, ...children: readonly Uint8Array[]): Uint8Array {
  return concatBytes([Uint8Array.from(idOctets(id)), Uint8Array.of(1, ...Array(7).fill(255)), ...children]);
}

function idOctets(id: number): number[] {
  return [24, 16, 8, 0]
    .map((shift) => (id >>> shift) & 255)
    .filter((octet, i, all) => octet > 0 || all[i - 1]);
}

/** Info as a browser writes it: no duration. */
export const INFO = master(ID.Info, [
  uintElement(ID.TimestampScale, 1_000_000),
  textElement(ID.MuxingApp, 'browser'),
]);

/** A track entry. */
export function trackEntry(
  number: number,
  type: number,
  codecId: string,
  ...more: readonly Uint8Array[]
): Uint8Array {
  const fields = [
    uintElement(ID.TrackNumber, number),
    uintElement(ID.TrackUID, number),
    uintElement(ID.TrackType, type),
    textElement(ID.CodecID, codecId),
  ];
  return master(ID.TrackEntry, [...fields, ...more]);
}

/** Video 1 in VP8 and audio 2 in Opus. */
export const VP8_OPUS = master(ID.Tracks, [
  trackEntry(
    1,
    1,
    'V_VP8',
    master(ID.Video, [uintElement(ID.PixelWidth, 64), uintElement(ID.PixelHeight, 48)]),
  ),
  trackEntry(
    2,
    2,
    'A_OPUS',
    element(ID.CodecPrivate, opusHead()),
    master(ID.Audio, [floatElement(ID.SamplingFrequency, 48_000), uintElement(ID.Channels, 2)]),
  ),
]);

/** Content of a block without lacing. */
export function blockBody(track: number, relative: number, flags: number, data: Uint8Array): Uint8Array {
  return concatBytes([Uint8Array.of(0x80 | track, (relative >> 8) & 255, relative & 255, flags), data]);
}

/** A SimpleBlock without lacing. */
export function simpleBlock(track: number, relative: number, data: Uint8Array, key = true): Uint8Array {
  return element(ID.SimpleBlock, blockBody(track, relative, key ? 0x80 : 0, data));
}

/** The parts of a Cluster: timestamp in milliseconds, then blocks. */
export function clusterParts(time: number, blocks: readonly Uint8Array[]): Uint8Array[] {
  return [uintElement(ID.Timestamp, time), ...blocks];
}

/** A stream with these tracks and Clusters of unknown size: time, blocks. */
export function webmStream(
  entries: readonly Uint8Array[],
  clusters: readonly (readonly [time: number, ...blocks: readonly Uint8Array[]])[],
  info = INFO,
): Uint8Array {
  const written = clusters.map(([time, ...blocks]) => endless(ID.Cluster, ...clusterParts(time, blocks)));
  return concatBytes([
    ebmlHeader('matroska'),
    endless(ID.Segment, info, master(ID.Tracks, entries), ...written),
  ]);
}

/**
 * Pictures at 25 per second and sound in Clusters of unknown size, as browsers record it.
 * @param options.pictures in each Cluster. The default is one second in all.
 */
export function recording(
  options: {
    readonly start?: number;
    readonly clusters?: number;
    readonly pictures?: number;
    /** Octets that each frame has more. */
    readonly more?: number;
  } = {},
): Uint8Array {
  const { start = 0, clusters = 5, pictures = 5, more = 0 } = options;
  const written: Uint8Array[] = [];
  for (let c = 0; c < clusters; c++) {
    const blocks: Uint8Array[] = [];
    for (let i = 0; i < pictures; i++) {
      blocks.push(simpleBlock(1, i * 40, vp8Frame(i === 0, 14 + i + more, c * 16 + i), i === 0));
      blocks.push(
        simpleBlock(2, i * 40, opusPacket(5 + i + more, c)),
        simpleBlock(2, i * 40 + 20, opusPacket(6 + i + more, c)),
      );
    }
    written.push(endless(ID.Cluster, ...clusterParts(start + c * pictures * 40, blocks)));
  }
  return concatBytes([ebmlHeader(), endless(ID.Segment, INFO, VP8_OPUS, ...written)]);
}

/** What came out of a demuxer. */
export interface Demuxed {
  readonly tracks: Track[];
  readonly samples: Sample[];
  readonly inits: WebmInit[];
  readonly faults: ParseError[];
  readonly demuxer: WebmDemuxer;
}

/** Demuxes pieces in order. @param end nothing follows. */
export function demux(pieces: readonly Uint8Array[], end = true): Demuxed {
  const tracks: Track[] = [];
  const samples: Sample[] = [];
  const inits: WebmInit[] = [];
  const faults: ParseError[] = [];
  const demuxer = new WebmDemuxer({
    onTrack: (track) => tracks.push(track),
    onSample: (sample) => samples.push(sample),
    onInit: (init) => inits.push(init),
    onFault: (fault) => faults.push(fault),
  });
  for (const piece of pieces) demuxer.push(piece);
  if (end) demuxer.end();
  return { tracks, samples, inits, faults, demuxer };
}

/** A sample in a line: track, times, key, octets and their sum. */
export function brief({ track, dts, pts, duration, keyframe, data }: Sample): string {
  let sum = 0;
  for (const octet of data) sum = (sum * 31 + octet) % 65_521;
  return `${track.id} ${dts} ${pts} ${duration ?? '-'} ${keyframe ? 'K' : '_'} ${data.length}:${sum}`;
}
