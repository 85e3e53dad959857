import {
  decodeFmp4Message,
  decodeFmp4ServerText,
  type Fmp4Header,
  type Fmp4Message,
} from '@onair/contracts/fmp4-socket';
import { parseChunks, parseInit } from '@onair/media/isobmff';
import { WebSocket } from 'ws';
import type { Scope } from './scope.ts';
import { Witness } from './witness.ts';

/** A witness that also knows what only `docs/protocols/ws-fmp4.md` tells. */
export class Fmp4Witness extends Witness {
  readonly socket: WebSocket;
  /** Headers of the chunks in order. */
  readonly chunks: Fmp4Header[] = [];
  /** Numbers of the epochs announced, in order. */
  readonly epochs: number[] = [];
  /** Microseconds from the end of a chunk to the begin of the next one of its track, where they do not meet. */
  readonly holes: { readonly track: number; readonly us: number; readonly discontinuity: boolean }[] = [];
  readonly #tracks = new Map<number, { readonly video: boolean; readonly timebase: number }>();
  readonly #ends = new Map<number, number>();

  constructor(url: string) {
    super('ws-fmp4');
    this.socket = new WebSocket(url, 'onair.fmp4.v1', { perMessageDeflate: false });
    this.socket.on('message', (data: Buffer, binary: boolean) => {
      try {
        if (binary) this.#message(decodeFmp4Message(data));
        else this.#text(String(data));
      } catch (error) {
        this.fault(String(error));
      }
    });
    this.socket.on('close', (code, reason) => {
      this.ended ??= `${code} ${reason}`.trim();
    });
    this.socket.on('error', (error) => {
      this.ended ??= error.message;
    });
  }

  #text(text: string): void {
    const message = decodeFmp4ServerText(text);
    if (message.type === 'hello') this.notes.push(`hello ${message.state}`);
    else if (message.type === 'skip') this.notes.push(`skip ${message.blocks}`);
    else this.notes.push(message.type);
  }

  #message(message: Fmp4Message): void {
    const { header } = message;
    switch (message.kind) {
      case 'state':
        this.notes.push(`state ${message.state.state}`);
        return;
      case 'epoch':
        this.notes.push(`epoch ${message.epoch.epoch}`);
        this.epochs.push(message.epoch.epoch);
        this.#tracks.clear();
        return;
      case 'init': {
        const [track, ...more] = parseInit(message.payload).tracks;
        if (track === undefined || more.length > 0) this.fault('an init segment without exactly one track');
        else if (track.trackId !== header.track) this.fault(`init of ${track.trackId} as ${header.track}`);
        else {
          this.#tracks.set(header.track, { video: track.kind === 'video', timebase: track.timebase });
          this.setUp(track.kind === 'video' ? 'video' : 'audio', message.payload);
        }
        return;
      }
      case 'chunk':
        this.#chunk(header, message.payload);
        return;
      default:
        this.fault(`a message of type ${header.type}`);
    }
  }

  #chunk(header: Fmp4Header, payload: Uint8Array): void {
    const { track: id, sequence, time, discontinuity } = header;
    const track = this.#tracks.get(id);
    const [chunk, ...more] = parseChunks(payload);
    const samples = chunk?.tracks[0]?.samples ?? [];
    const first = samples[0];
    if (track === undefined || first === undefined || more.length > 0 || chunk!.tracks[0]!.trackId !== id) {
      this.fault(`a chunk of track ${id} that is none`);
      return;
    }
    const before = this.chunks.at(-1);
    if (before !== undefined && sequence <= before.sequence)
      this.fault(`sequence ${sequence} after ${before.sequence}`);
    if (header.epoch !== this.epochs.at(-1)) this.fault(`a chunk of epoch ${header.epoch}`);
    this.chunks.push(header);
    const us = (ticks: number): number => (ticks * 1_000_000) / track.timebase;
    if (Math.abs(us(first.dts) - time) > 1) this.fault(`header ${time} µs, tfdt ${us(first.dts)} µs`);
    const end = this.#ends.get(id);
    if (end !== undefined && Math.abs(us(first.dts) - end) > 1) {
      this.holes.push({ track: id, us: us(first.dts) - end, discontinuity });
    }
    const last = samples.at(-1)!;
    this.#ends.set(id, us(last.dts + last.duration));
    for (const [i, sample] of samples.entries()) {
      this.see({
        video: track.video,
        ms: us(sample.dts) / 1000,
        ptsMs: us(sample.pts) / 1000,
        key: sample.keyframe,
        discontinuity: discontinuity && i === 0,
      });
    }
  }
}

/** Watches `ws://…fmp4` until the scope closes or the server ends it. */
export function watchFmp4(scope: Scope, url: string): Fmp4Witness {
  const witness = new Fmp4Witness(url);
  scope.defer(() => witness.socket.terminate());
  return witness;
}
