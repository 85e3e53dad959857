import { ParseError, type StreamName, type Timebase, type Track, ticks } from '@onair/media';
import {
  isRtcp,
  parseRtcp,
  parseRtp,
  writeBitrate,
  writeNack,
  writePictureLoss,
  writeReceiverReport,
} from '@onair/media/rtp';
import type { ChosenMedia } from '@onair/media/sdp';
import type { Clock, Publication, SessionTable, StreamRegistry } from '../../hub/index.ts';
import type { RtcPeer } from '../../net/index.ts';
import { LipSync } from './lip-sync.ts';
import { type LaneUnit, RtpLane } from './rtp-lane.ts';

/** What a publisher over WebRTC needs of the server. */
export interface WhipPublisherDeps {
  readonly registry: StreamRegistry;
  readonly sessions: SessionTable;
  readonly clock: Clock;
  /** One line about begin and end of a session. */
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
  settings(): WhipSettings;
}

/** Settings in force at the moment; see `webrtc` in `docs/config.md`. */
export interface WhipSettings {
  readonly maxSessions: number;
  readonly silenceMs: number;
  readonly connectTimeoutMs: number;
  readonly keyframeMs: number;
  readonly maxBitrate: number;
}

/** Missing packets are looked for this often, in milliseconds. */
const POLL_MS = 20;
/** Reports go out this often, in milliseconds. */
const REPORT_MS = 500;
/** A key frame is asked for this often at most, in milliseconds. */
const ASK_MS = 500;
/** Packets in a row that are none of this session's, after which it ends. */
const MAX_STRANGE = 2_000;
/** Source that reports come from. RFC 3550 §6.4.2 needs one, though it sends nothing. */
const SSRC = 1;

interface Section {
  readonly mid: string;
  readonly lane: RtpLane;
  track: Track | undefined;
}

/** A browser or encoder on air by WHIP: RTP becomes samples of one clock. */
export class WhipPublisher {
  readonly #deps: WhipPublisherDeps;
  readonly #publication: Publication;
  readonly #sections: readonly Section[];
  readonly #sync: LipSync | undefined;
  readonly #release: (reason: string) => void;
  #peer: RtcPeer | undefined;
  #cancel: (() => void) | undefined;
  readonly #since: { readonly begin: number; heard: number; report: number; asked: number; keyframe: number };
  readonly #count = { bytes: 0, strange: 0 };
  readonly #state = { opened: false, over: false, wanted: false };
  #onEnd: () => void = () => undefined;

  /** @throws HubError `PUBLISH_CONFLICT`, `TOO_MANY_STREAMS`, `HUB_CLOSED`. */
  constructor(
    stream: StreamName,
    chosen: readonly ChosenMedia[],
    peer: { readonly address: string; readonly identity: string },
    deps: WhipPublisherDeps,
  ) {
    this.#deps = deps;
    const { clock } = deps;
    const now = clock.now();
    this.#since = { begin: now, heard: now, report: now, asked: Number.NEGATIVE_INFINITY, keyframe: now };
    this.#sections = chosen.map(({ media, codec, name }) => {
      const lane = new RtpLane(name, codec.payloadType, {
        unit: (unit) => this.#unit(section, unit),
        broken: () => this.#wantKeyframe(),
      });
      const section: Section = { mid: media.mid, lane, track: undefined };
      return section;
    });
    const video = this.#sections.find(({ lane }) => lane.video);
    const audio = this.#sections.find(({ lane }) => !lane.video);
    this.#sync = video && audio ? new LipSync(video.lane.clockRate, audio.lane.clockRate) : undefined;
    this.#publication = deps.registry.publish(stream, {
      protocol: 'whip',
      identity: peer.identity,
      revoked: (reason) => this.close(reason),
      ...(video === undefined ? {} : { requestKeyframe: () => this.#wantKeyframe() }),
    });
    this.#publication.promise({ video: video !== undefined, audio: audio !== undefined });
    this.#release = this.#register(stream, peer.address);
    this.#cancel = clock.after(deps.settings().connectTimeoutMs, () => this.close('not connected in time'));
  }

  /** Takes the transport that carries the media. */
  use(peer: RtcPeer): void {
    this.#peer = peer;
  }

  /** Calls back once when the session is over. */
  onEnd(listener: () => void): void {
    this.#onEnd = listener;
    if (this.#state.over) listener();
  }

  /** Media can flow. */
  opened(): void {
    if (this.#state.opened || this.#state.over) return;
    this.#state.opened = true;
    this.#since.heard = this.#deps.clock.now();
    this.#cancel?.();
    this.#tick();
  }

  /** A packet of the section `mid`. */
  packet(mid: string, bytes: Uint8Array): void {
    if (this.#state.over) return;
    const now = this.#deps.clock.now();
    this.#count.bytes += bytes.length;
    try {
      if (isRtcp(bytes)) this.#control(bytes, now);
      else if (!this.#media(mid, bytes, now)) this.#strange();
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      this.#strange();
    }
  }

  /** Ends the session. Safe to call twice. */
  close(reason: string): void {
    if (this.#state.over) return;
    this.#state.over = true;
    this.#cancel?.();
    this.#publication.close(reason);
    this.#release(reason);
    this.#peer?.close();
    this.#onEnd();
  }

  #register(stream: StreamName, address: string): (reason: string) => void {
    const { sessions, log, clock } = this.#deps;
    const dropped = (): number =>
      this.#publication.dropped + this.#sections.reduce((sum, { lane }) => sum + lane.dropped, 0);
    const figures = () => ({ bytes: this.#count.bytes, skips: 0, dropped: dropped(), backlog: 0 });
    const session = sessions.add({
      kind: 'publisher',
      protocol: 'whip',
      stream,
      address,
      figures,
      close: (reason) => this.#publication.revoke(reason),
    });
    const codecs = this.#sections.map(({ lane }) => lane.codec).join(', ');
    const told = { session: session.id, stream, protocol: 'whip', address };
    log('publisher came', { ...told, codecs });
    return (reason) => {
      session.remove();
      const seconds = Math.round((clock.now() - this.#since.begin) / 1000);
      const lost = this.#sections.reduce((sum, { lane }) => sum + (lane.reception?.lost ?? 0), 0);
      log('publisher left', { ...told, reason, seconds, bytes: this.#count.bytes, dropped: dropped(), lost });
    };
  }

  #strange(): void {
    if (++this.#count.strange >= MAX_STRANGE) this.close('nothing but foreign packets');
  }

  #media(mid: string, bytes: Uint8Array, now: number): boolean {
    const packet = parseRtp(bytes);
    const section = this.#sections.find((one) => one.mid === mid);
    if (section === undefined) return false;
    const taken = section.lane.push(packet, now);
    if (taken) {
      this.#since.heard = now;
      this.#count.strange = 0;
    }
    return taken;
  }

  #control(bytes: Uint8Array, now: number): void {
    for (const one of parseRtcp(bytes)) {
      if (one.kind !== 'sender-report') continue;
      const section = this.#sections.find(({ lane }) => lane.reception?.ssrc === one.ssrc);
      if (section === undefined) continue;
      section.lane.reception?.noteReport(one.ntp, now);
      const kind = section.lane.video ? 'video' : 'audio';
      this.#sync?.reported(kind, one.ntp, section.lane.unwrap(one.timestamp));
    }
  }

  #unit(section: Section, unit: LaneUnit): void {
    const { lane } = section;
    const now = this.#deps.clock.now();
    this.#sync?.arrived(lane.video ? 'video' : 'audio', unit.timestamp, now);
    if (unit.parameters !== undefined) {
      section.track = {
        id: lane.video ? 1 : 2,
        timebase: lane.clockRate as Timebase,
        parameters: unit.parameters,
      };
      this.#publication.setTrack(section.track);
    }
    if (section.track === undefined) return;
    if (lane.video && unit.keyframe) {
      this.#since.keyframe = now;
      this.#state.wanted = false;
    }
    let time = unit.timestamp;
    if (lane.video && this.#sync !== undefined) {
      const shift = this.#sync.shift(unit.timestamp);
      // Sound comes first or not at all; pictures wait for it as long as the stream does.
      if (shift !== undefined) time += Math.round((shift * lane.clockRate) / 1000);
      else if (now - this.#since.begin < SOUND_WAIT_MS) {
        this.#wantKeyframe();
        return;
      }
    }
    this.#publication.push({
      track: section.track,
      dts: ticks(time),
      pts: ticks(time),
      duration: undefined,
      keyframe: unit.keyframe,
      data: unit.data,
    });
  }

  #wantKeyframe(): void {
    this.#state.wanted = true;
    this.#ask(this.#deps.clock.now());
  }

  #ask(now: number): void {
    if (now - this.#since.asked < ASK_MS) return;
    for (const { lane, mid } of this.#sections) {
      if (!lane.video || lane.reception === undefined) continue;
      this.#since.asked = now;
      this.#peer?.send(mid, writePictureLoss(SSRC, lane.reception.ssrc));
    }
  }

  #tick(): void {
    const { clock, settings } = this.#deps;
    const now = clock.now();
    const { silenceMs, keyframeMs } = settings();
    if (now - this.#since.heard > silenceMs) {
      this.close('silent');
      return;
    }
    this.#cancel = clock.after(POLL_MS, () => this.#tick());
    for (const { lane, mid } of this.#sections) {
      const lost = lane.poll(now);
      const ssrc = lane.reception?.ssrc;
      if (lost.length > 0 && ssrc !== undefined) this.#peer?.send(mid, writeNack(SSRC, ssrc, lost));
    }
    if (this.#state.wanted || now - this.#since.keyframe >= keyframeMs) this.#ask(now);
    if (now - this.#since.report >= REPORT_MS) this.#report(now);
  }

  #report(now: number): void {
    this.#since.report = now;
    const { maxBitrate } = this.#deps.settings();
    for (const { lane, mid } of this.#sections) {
      const { reception } = lane;
      if (reception === undefined) continue;
      const report = writeReceiverReport(SSRC, [reception.block(now)]);
      const bitrate = lane.video ? writeBitrate(SSRC, [reception.ssrc], maxBitrate) : new Uint8Array(0);
      const compound = new Uint8Array(report.length + bitrate.length);
      compound.set(report);
      compound.set(bitrate, report.length);
      this.#peer?.send(mid, compound);
    }
  }
}

/** How long pictures wait for the first sound, in milliseconds. */
const SOUND_WAIT_MS = 2_000;
