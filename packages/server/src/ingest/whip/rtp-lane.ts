import { type AudioParameters, ParseError, type VideoParameters } from '@onair/media';
import {
  isKeyframe,
  keyframeParameters,
  opusParameters,
  splitLengthPrefixed,
  VideoIntake,
  writeOpusConfig,
} from '@onair/media/bitstream';
import {
  DEFAULT_RECEIVE_QUEUE,
  PAYLOAD_FORMATS,
  ReceiveQueue,
  type ReceiveQueueOptions,
  Reception,
  type RtpCodec,
  type RtpPacket,
  readRtx,
  UnitAssembler,
} from '@onair/media/rtp';
import { Unwrapper } from '@onair/media/time';

/** One access unit of a publisher over RTP. */
export interface LaneUnit {
  /** Ticks of the RTP clock, unwrapped. */
  readonly timestamp: number;
  readonly keyframe: boolean;
  readonly data: Uint8Array;
  /** Parameters that begin with this unit. */
  readonly parameters: VideoParameters | AudioParameters | undefined;
}

/** What a lane tells its owner. */
export interface LaneListener {
  unit(unit: LaneUnit): void;
  /** Pictures are missing: nothing follows before a key frame. */
  broken(): void;
}

/** Sound that has not come after so long is gone, in milliseconds. */
const AUDIO_QUEUE: ReceiveQueueOptions = { waitMs: 100, maxPackets: 256 };

/** One section of a publisher: packets in any order become access units in order. */
export class RtpLane {
  readonly codec: RtpCodec;
  readonly video: boolean;
  readonly clockRate: number;
  readonly #payloadType: number;
  readonly #listener: LaneListener;
  readonly #queue: ReceiveQueue;
  readonly #assembler: UnitAssembler;
  readonly #intake: VideoIntake | undefined;
  readonly #unwrap = new Unwrapper(32);
  #reception: Reception | undefined;
  #record: Uint8Array | undefined;
  readonly #state = { awaitsKey: true, dropped: 0, repaired: 0, told: false };

  constructor(codec: RtpCodec, payloadType: number, listener: LaneListener) {
    this.codec = codec;
    this.video = codec !== 'opus';
    this.clockRate = PAYLOAD_FORMATS[codec].clockRate;
    this.#payloadType = payloadType;
    this.#listener = listener;
    this.#queue = new ReceiveQueue(this.video ? DEFAULT_RECEIVE_QUEUE : AUDIO_QUEUE);
    this.#assembler = new UnitAssembler(PAYLOAD_FORMATS[codec]);
    this.#intake = codec === 'h264' ? new VideoIntake('h264') : undefined;
  }

  /** Counts of the source; undefined before its first packet. */
  get reception(): Reception | undefined {
    return this.#reception;
  }

  /** Units that were malformed or lost. */
  get dropped(): number {
    return this.#state.dropped + this.#assembler.dropped;
  }

  /** Packets that came again on a source of their own and were missing. */
  get repaired(): number {
    return this.#state.repaired;
  }

  /** Timestamp of a sender report in the count of the units. */
  unwrap(timestamp: number): number {
    return this.#unwrap.next(timestamp);
  }

  /** Takes a packet. Those of another payload type or source are left out. @param now monotonic ms. */
  push(packet: RtpPacket, now: number): boolean {
    if (packet.payloadType !== this.#payloadType) return false;
    this.#reception ??= new Reception(packet.ssrc, this.clockRate);
    if (packet.ssrc !== this.#reception.ssrc) return false;
    this.#reception.note(packet, now);
    for (const ordered of this.#queue.push(packet, now)) this.#assemble(ordered);
    return true;
  }

  /** Takes a packet that repeats another one, if that is missing. @param now monotonic ms. */
  pushAgain(again: RtpPacket, now: number): void {
    const { ssrc } = this.#reception ?? {};
    if (ssrc === undefined) return;
    const packet = readRtx(again, this.#payloadType, ssrc);
    // A number from elsewhere would look like another run of numbers.
    if (packet === undefined || !this.#queue.misses(packet.sequence)) return;
    this.#state.repaired++;
    for (const ordered of this.#queue.push(packet, now)) this.#assemble(ordered);
  }

  /** Gives up what was waited for too long; returns the packets to ask for again. @param now monotonic ms. */
  poll(now: number): number[] {
    for (const ordered of this.#queue.poll(now)) this.#assemble(ordered);
    return this.#queue.nacks(now);
  }

  #assemble(ordered: Parameters<UnitAssembler['push']>[0]): void {
    const { units, broken } = this.#assembler.push(ordered);
    if (broken && this.video) this.#lose();
    for (const { timestamp, data } of units) {
      try {
        this.#unit(this.#unwrap.next(timestamp % 2 ** 32), data);
      } catch (error) {
        if (!(error instanceof ParseError)) throw error;
        this.#state.dropped++;
        if (this.video) this.#lose();
      }
    }
  }

  #lose(): void {
    this.#state.awaitsKey = true;
    this.#listener.broken();
  }

  #unit(timestamp: number, data: Uint8Array): void {
    const unit = this.video ? this.#picture(data) : this.#sound(data);
    if (unit.data.length === 0) return;
    if (this.#state.awaitsKey) {
      if (!unit.keyframe) {
        this.#state.dropped++;
        return;
      }
      this.#state.awaitsKey = false;
    }
    this.#listener.unit({ timestamp, ...unit });
  }

  #picture(data: Uint8Array): Omit<LaneUnit, 'timestamp'> {
    if (this.#intake !== undefined) return this.#intake.readNals(splitLengthPrefixed(data));
    const codec = this.codec as 'vp8' | 'vp9' | 'av1';
    const keyframe = isKeyframe(codec, data);
    if (!keyframe) return { keyframe, data, parameters: undefined };
    const parameters = keyframeParameters(codec, data, undefined);
    const record = parameters === undefined ? undefined : identity(parameters);
    if (record === undefined || (this.#record !== undefined && same(record, this.#record))) {
      return { keyframe, data, parameters: undefined };
    }
    this.#record = record;
    return { keyframe, data, parameters };
  }

  #sound(data: Uint8Array): Omit<LaneUnit, 'timestamp'> {
    const told = this.#state.told;
    this.#state.told = true;
    return { keyframe: true, data, parameters: told ? undefined : OPUS };
  }
}

/** RFC 7587 §4.1: a receiver decodes to 48 kHz and two channels whatever the packets hold. */
const OPUS = opusParameters(
  writeOpusConfig({
    channels: 2,
    preSkip: 0,
    inputSampleRate: 48_000,
    outputGain: 0,
    mappingFamily: 0,
    mapping: new Uint8Array(0),
  }),
);

function identity({ description, width, height }: VideoParameters): Uint8Array {
  const size = Uint16Array.of(width, height);
  const bytes = new Uint8Array(description.length + 4);
  bytes.set(description);
  bytes.set(new Uint8Array(size.buffer), description.length);
  return bytes;
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
