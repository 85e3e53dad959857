import { ParseError } from '@onair/media';
import {
  isRtcp,
  MAX_SHORT_EXTENSION_ID,
  ntpOfMs,
  PLAYOUT_DELAY_URI,
  parseRtcp,
  writeSenderReport,
} from '@onair/media/rtp';
import type { ChosenMedia, Taken } from '@onair/media/sdp';
import type { Clock, Stream, Viewer } from '../../hub/index.ts';
import type { RtcChannel, RtcPeer } from '../../net/index.ts';
import type { RtpPackager } from '../../packager/rtp/index.ts';
import { type LiveDeps, Viewing } from '../live/index.ts';
import { tellEvents } from './event-channel.ts';
import { RtpSender } from './rtp-sender.ts';

/** How often a viewer is told the clock and looked after, in milliseconds. */
const REPORT_EVERY_MS = 1_000;
/** The first report comes after so long, in milliseconds. */
const FIRST_REPORT_MS = 20;
/**
 * How long reports come how often at first, in milliseconds. Chromium looks once a second for the newest report of each
 * track and matches nothing before it has seen two.
 */
const EARLY_MS = 5_000;
const EARLY_REPORT_MS = 250;
/**
 * So long pictures that have sound are held back at least, in milliseconds: as long as browsers hold sound back when it
 * begins to come. Without it Chromium shows pictures at once, takes them for later than they are, and brings them to the
 * sound by a few milliseconds a second.
 */
const HELD_FOR_SOUND_MS = 60;
/** A viewer gets a new start this often at most, in milliseconds. */
const RESTART_EVERY_MS = 1_000;
/** Name of this source in RTCP. */
const CNAME = 'onair';

/** What a viewer over WebRTC is made of. */
export interface WhepViewerOptions {
  readonly stream: Stream;
  readonly packager: RtpPackager;
  readonly chosen: readonly ChosenMedia[];
  readonly address: string;
  readonly clock: Clock;
  readonly deps: LiveDeps;
  /** Random numbers of 32 bits. */
  random(): number;
  silenceMs(): number;
  connectTimeoutMs(): number;
}

interface Line {
  readonly mid: string;
  readonly ssrc: number;
  /** Source of what is sent again. */
  readonly rtxSsrc: number | undefined;
  readonly clockRate: number;
  readonly sender: RtpSender;
  readonly video: boolean;
  viewer: Viewer | undefined;
}

/** Somebody who watches over WebRTC: one sender for each track, fed by the stream's pumps. */
export class WhepViewer {
  /** What the answer tells of the tracks. */
  readonly taken: readonly Taken[];
  readonly #options: WhepViewerOptions;
  readonly #viewing: Viewing;
  readonly #lines: readonly Line[];
  #peer: RtcPeer | undefined;
  #cancel: (() => void) | undefined;
  #untell: (() => void) | undefined;
  #heard: number;
  /** Monotonic ms; undefined before. */
  readonly #since: { opened: number | undefined; restarted: number } = { opened: undefined, restarted: 0 };
  #over = false;
  #onEnd: () => void = () => undefined;

  /** @throws HubError `TOO_MANY_STREAMS`, `HUB_CLOSED`. */
  constructor(options: WhepViewerOptions) {
    this.#options = options;
    const { stream, address, deps, clock } = options;
    this.#heard = clock.now();
    this.#viewing = new Viewing(deps, {
      stream: stream.name,
      protocol: 'whep',
      address,
      close: (reason) => this.close(reason),
    });
    this.#lines = options.chosen.map((chosen) => this.#line(chosen));
    this.taken = options.chosen.map(({ media, codec, rtx }, i) => ({
      media,
      codec,
      rtx,
      direction: 'sendonly',
      extensions: new Map(
        [...media.extensions].filter(
          ([uri, id]) => uri === PLAYOUT_DELAY_URI && id <= MAX_SHORT_EXTENSION_ID,
        ),
      ),
      source: { ssrc: this.#lines[i]!.ssrc, rtxSsrc: this.#lines[i]!.rtxSsrc, cname: CNAME, stream: 'onair' },
    }));
    this.#cancel = clock.after(options.connectTimeoutMs(), () => this.close('not connected in time'));
  }

  /** Takes the transport that carries the media. */
  use(peer: RtcPeer): void {
    this.#peer = peer;
  }

  /** Calls back once when the session is over. */
  onEnd(listener: () => void): void {
    this.#onEnd = listener;
    if (this.#over) listener();
  }

  /** Media can flow: joins the stream at its newest key frame. */
  opened(): void {
    if (this.#since.opened !== undefined || this.#over) return;
    const { packager, clock } = this.#options;
    this.#since.opened = clock.now();
    this.#heard = clock.now();
    for (const line of this.#lines) {
      const pump = packager.fanout.pump({
        envelope: { name: 'rtp', opening: () => NOTHING, config: (epoch) => epoch.config, batch: joined },
        tracks: line.video ? 'video' : 'audio',
        windowMs: 0,
      });
      line.sender.restart(line.video ? packager.newest.video : soundFrom(packager.newest));
      line.viewer = pump.join(line.sender);
      if (line.video || this.#lines.length === 1) this.#viewing.join(line.viewer);
    }
    this.#cancel?.();
    this.#cancel = clock.after(FIRST_REPORT_MS, () => this.#look());
  }

  /** The viewer opened a data channel: the stream's events go there. */
  channel(channel: RtcChannel): void {
    if (this.#over) return;
    const { stream, packager } = this.#options;
    this.#untell = tellEvents(channel, {
      stream,
      packager,
      pictures: this.#lines.some(({ video }) => video),
    });
  }

  /** A packet from the viewer; RTP does not come. */
  packet(bytes: Uint8Array): void {
    this.#heard = this.#options.clock.now();
    if (!isRtcp(bytes)) return;
    try {
      for (const one of parseRtcp(bytes)) {
        if (one.kind === 'nack') {
          const line = this.#lines.find(({ ssrc }) => ssrc === one.media);
          for (const sequence of one.lost) line?.sender.resend(sequence);
        } else if (one.kind === 'keyframe-request') this.#restart();
      }
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
    }
  }

  /** Ends the session. Safe to call twice. */
  close(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancel?.();
    this.#untell?.();
    for (const line of this.#lines) {
      line.sender.close();
      line.viewer?.close();
    }
    this.#viewing.close(reason);
    this.#peer?.close();
    this.#onEnd();
  }

  #line({ media, codec, rtx }: ChosenMedia): Line {
    const { packager, clock, random } = this.#options;
    const video = media.kind === 'video';
    const ssrc = random();
    const rtxSsrc = rtx === undefined ? undefined : random();
    const delayId = video ? media.extensions.get(PLAYOUT_DELAY_URI) : undefined;
    const sound = this.#options.chosen.some((one) => one.media.kind === 'audio');
    let epochs = 0;
    const line: Line = {
      mid: media.mid,
      ssrc,
      rtxSsrc,
      clockRate: codec.clockRate,
      video,
      viewer: undefined,
      sender: new RtpSender(
        {
          payloadType: codec.payloadType,
          ssrc,
          rtx: rtx && { payloadType: rtx.payloadType, ssrc: rtxSsrc! },
          video,
          playoutDelay:
            delayId === undefined || delayId > MAX_SHORT_EXTENSION_ID
              ? undefined
              : { id: delayId, minMs: sound ? HELD_FOR_SOUND_MS : 0 },
          send: (packet) => this.#peer?.send(media.mid, packet) ?? false,
          after: (ms, callback) => clock.after(ms, callback),
          drained: () => line.viewer?.drained(),
          epoch: () => {
            if (epochs++ > 0) this.#newEpoch();
          },
          ended: (reason) => this.close(reason),
        },
        packager.newest[video ? 'video' : 'audio'],
        random() & 0x7fff,
      ),
    };
    return line;
  }

  /** Other parameters are fine as long as the codecs stay. */
  #newEpoch(): void {
    const { wanted, refusal } = this.#options.packager;
    const same =
      refusal === undefined &&
      this.#options.chosen.every(
        ({ media, name }) => wanted[media.kind === 'video' ? 'video' : 'audio']?.codec === name,
      );
    // The pump is in the middle of its round.
    if (!same) this.#options.clock.soon(() => this.close('the stream has other codecs now'));
  }

  /** The viewer lost a picture that cannot be sent again. */
  #restart(): void {
    const { clock, stream, packager } = this.#options;
    const line = this.#lines.find(({ video }) => video);
    if (line?.viewer === undefined || clock.now() - this.#since.restarted < RESTART_EVERY_MS) return;
    this.#since.restarted = clock.now();
    if (stream.requestKeyframe() || line.sender.blocked) return;
    line.sender.restart(packager.newest.video);
    line.viewer.pause();
    line.viewer.play();
  }

  #look(): void {
    const { clock, packager, silenceMs } = this.#options;
    const early = clock.now() - (this.#since.opened ?? 0) < EARLY_MS;
    this.#cancel = clock.after(early ? EARLY_REPORT_MS : REPORT_EVERY_MS, () => this.#look());
    if (clock.now() - this.#heard > silenceMs()) {
      this.close('silent');
      return;
    }
    const wall = clock.wall();
    const { anchor } = packager;
    // One line through stream time and wall clock for all tracks: what matters is that it is the same.
    const seconds = anchor.time / 1e6 + (wall - anchor.wallMs) / 1000;
    for (const line of this.#lines) {
      const { packets, octets } = line.sender.counters;
      if (packets === 0) continue;
      const timestamp = Math.round(seconds * line.clockRate) % 2 ** 32;
      const report = { ssrc: line.ssrc, ntp: ntpOfMs(wall), timestamp, packets, octets };
      this.#peer?.send(line.mid, writeSenderReport(report, CNAME));
    }
  }
}

/** Sound that is made in a thread comes later than the pictures: what is missing at first is not to be made up for. */
function soundFrom({ video, audio }: RtpPackager['newest']): number {
  const pictures = Math.round((video * 48) / 90) - SOUND_BEHIND;
  return Math.max(0, audio, pictures);
}

/** How far, in ticks of 48 kHz. */
const SOUND_BEHIND = 12_000;

const NOTHING = new Uint8Array(0);

function joined(blocks: readonly { readonly bytes: Uint8Array }[]): Uint8Array {
  return blocks.length === 1 ? blocks[0]!.bytes : Buffer.concat(blocks.map(({ bytes }) => bytes));
}
