import { ParseError, type StreamName, type Timebase, type Track, ticks } from '@onair/media';
import {
  headerExtension,
  isRtcp,
  parseRtcp,
  parseRtp,
  type RtpPacket,
  STREAM_ID_URI,
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
import { type Repaired, RtxSources, textOf } from './rtx-sources.ts';
import { Simulcast } from './simulcast.ts';

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
/** A layer without packets for so long is asked for nothing, in milliseconds. */
const LAYER_OFF_MS = 1_000;
/** Packets in a row that are none of this session's, after which it ends. */
const MAX_STRANGE = 2_000;
/** Source that reports come from. RFC 3550 §6.4.2 needs one, though it sends nothing. */
const SSRC = 1;

/** One source of packets: a section of the offer, or one of the layers of its picture. */
interface Section extends Repaired {
  readonly lane: RtpLane;
  readonly layer: Layer | undefined;
  track: Track | undefined;
  /** When a packet came last, monotonic ms. */
  heard: number;
  /** When a key frame was asked for last, monotonic ms. */
  asked: number;
  /** Nothing can be shown before the next key frame. */
  wanted: boolean;
}

interface Layer {
  /** Place in the offer. */
  readonly index: number;
  readonly rid: string;
  /** Id of the header extension that has it. */
  readonly extension: number;
}

/** A browser or encoder on air by WHIP: RTP becomes samples of one clock. */
export class WhipPublisher {
  readonly #deps: WhipPublisherDeps;
  readonly #publication: Publication;
  readonly #sections: readonly Section[];
  readonly #sync: LipSync | undefined;
  /** Undefined for a picture without layers. */
  readonly #simulcast: Simulcast | undefined;
  readonly #rtx: RtxSources<Section>;
  readonly #release: (reason: string) => void;
  #peer: RtcPeer | undefined;
  #cancel: (() => void) | undefined;
  readonly #since: { readonly begin: number; heard: number; report: number; keyframe: number };
  readonly #count = { bytes: 0, strange: 0 };
  readonly #state = { opened: false, over: false };
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
    this.#since = { begin: now, heard: now, report: now, keyframe: now };
    this.#sections = chosen.flatMap((one) =>
      layersOf(one).map((layer) => {
        const lane = new RtpLane(one.name, one.codec.payloadType, {
          unit: (unit) => this.#unit(section, unit),
          broken: () => this.#wantKeyframe(section),
        });
        const section: Section = {
          mid: one.media.mid,
          rid: layer?.rid,
          lane,
          layer,
          track: undefined,
          heard: now,
          asked: Number.NEGATIVE_INFINITY,
          wanted: false,
        };
        return section;
      }),
    );
    this.#rtx = new RtxSources(chosen, this.#sections);
    const layers = this.#sections.filter(({ layer }) => layer !== undefined).length;
    this.#simulcast = layers === 0 ? undefined : new Simulcast(layers);
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
    const codecs = [...new Set(this.#sections.map(({ lane }) => lane.codec))].join(', ');
    const told = { session: session.id, stream, protocol: 'whip', address };
    log('publisher came', { ...told, codecs });
    return (reason) => {
      session.remove();
      const seconds = Math.round((clock.now() - this.#since.begin) / 1000);
      const lost = this.#sections.reduce((sum, { lane }) => sum + (lane.reception?.lost ?? 0), 0);
      const repaired = this.#sections.reduce((sum, { lane }) => sum + lane.repaired, 0);
      const counts = { bytes: this.#count.bytes, dropped: dropped(), lost, repaired };
      log('publisher left', { ...told, reason, seconds, ...counts });
    };
  }

  #strange(): void {
    if (++this.#count.strange >= MAX_STRANGE) this.close('nothing but foreign packets');
  }

  #media(mid: string, bytes: Uint8Array, now: number): boolean {
    const packet = parseRtp(bytes);
    if (this.#rtx.has(mid, packet)) {
      this.#rtx.ownerOf(mid, packet, bytes)?.lane.pushAgain(packet, now);
      return true;
    }
    const section = this.#sectionOf(mid, packet, bytes);
    if (section === undefined) return false;
    section.heard = now;
    const taken = section.lane.push(packet, now);
    if (taken) {
      this.#since.heard = now;
      this.#count.strange = 0;
    }
    return taken;
  }

  /** Layers say who they are until the first report has reached the sender, then their source alone tells. */
  #sectionOf(mid: string, { ssrc }: RtpPacket, bytes: Uint8Array): Section | undefined {
    if (this.#simulcast === undefined) return this.#sections.find((one) => one.mid === mid);
    const known = this.#sections.find(({ lane }) => lane.reception?.ssrc === ssrc);
    if (known !== undefined) return known;
    return this.#sections.find(({ mid: own, layer, lane }) => {
      if (own !== mid || lane.reception !== undefined) return false;
      return layer === undefined || textOf(headerExtension(bytes, layer.extension)) === layer.rid;
    });
  }

  #control(bytes: Uint8Array, now: number): void {
    for (const one of parseRtcp(bytes)) {
      if (one.kind !== 'sender-report') continue;
      const section = this.#sections.find(({ lane }) => lane.reception?.ssrc === one.ssrc);
      if (section === undefined) continue;
      section.lane.reception?.noteReport(one.ntp, now);
      const kind = section.lane.video ? 'video' : 'audio';
      const own = section.lane.unwrap(one.timestamp);
      const { layer } = section;
      const time = layer === undefined ? own : this.#simulcast!.reported(layer.index, one.ntp, own);
      if (time !== undefined) this.#sync?.reported(kind, one.ntp, time);
    }
  }

  #unit(section: Section, unit: LaneUnit): void {
    const { lane } = section;
    const now = this.#deps.clock.now();
    this.#sync?.arrived(lane.video ? 'video' : 'audio', unit.timestamp, now);
    if (section.layer !== undefined) {
      const { index } = section.layer;
      const parameters = unit.parameters?.kind === 'video' ? unit.parameters : undefined;
      this.#simulcast!.arrived(index, unit.timestamp, parameters, now);
      if (parameters !== undefined) this.#settle(now);
      section.track = this.#simulcast!.trackOf(index);
    } else if (unit.parameters !== undefined) {
      section.track = {
        id: lane.video ? 1 : 2,
        timebase: lane.clockRate as Timebase,
        parameters: unit.parameters,
      };
      this.#publication.setTrack(section.track);
    }
    if (section.track === undefined) return;
    if (lane.video && unit.keyframe) {
      if (section.track.id === 1) this.#since.keyframe = now;
      section.wanted = false;
    }
    let time =
      section.layer === undefined
        ? unit.timestamp
        : this.#simulcast!.timeOf(section.layer.index, unit.timestamp);
    if (lane.video && this.#sync !== undefined) {
      const shift = this.#sync.shift(time);
      // Sound comes first or not at all; pictures wait for it as long as the stream does.
      if (shift !== undefined) time += Math.round((shift * lane.clockRate) / 1000);
      else if (now - this.#since.begin < SOUND_WAIT_MS) {
        this.#wantKeyframe(section);
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

  /** What of the layers is on air changes: each begins anew with a key frame. */
  #settle(now: number): void {
    const lineUp = this.#simulcast?.settle(now);
    if (lineUp === undefined) return;
    for (const id of lineUp.gone) this.#publication.removeTrack(id);
    for (const track of lineUp.tracks) this.#publication.setTrack(track);
    // All at one time, though one may have been asked just now.
    for (const section of this.#sections) section.asked = Number.NEGATIVE_INFINITY;
    this.#wantKeyframe();
  }

  /** Of one layer or of all pictures. */
  #wantKeyframe(of?: Section): void {
    for (const section of this.#sections) {
      if (section.lane.video && (of ?? section) === section) section.wanted = true;
    }
    this.#ask(this.#deps.clock.now(), false);
  }

  /** @param all of every picture, wanted or not: layers that begin at one time can be switched. */
  #ask(now: number, all: boolean): void {
    for (const section of this.#sections) {
      const { lane, mid, layer, wanted, asked } = section;
      if (!lane.video || lane.reception === undefined || !(wanted || all) || now - asked < ASK_MS) continue;
      // A layer that is switched off has no pictures to give.
      if (layer !== undefined && now - section.heard > LAYER_OFF_MS) continue;
      section.asked = now;
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
    this.#settle(now);
    this.#ask(now, now - this.#since.keyframe >= keyframeMs);
    if (now - this.#since.report >= REPORT_MS) this.#report(now);
  }

  #report(now: number): void {
    this.#since.report = now;
    const { maxBitrate } = this.#deps.settings();
    for (const mid of new Set(this.#sections.map((section) => section.mid))) {
      const lanes = this.#sections.filter((one) => one.mid === mid).map(({ lane }) => lane);
      const receptions = lanes.flatMap(({ reception }) => reception ?? []);
      if (receptions.length === 0) continue;
      const report = writeReceiverReport(
        SSRC,
        receptions.map((reception) => reception.block(now)),
      );
      // All layers share what the sender may send.
      const bitrate = lanes[0]!.video
        ? writeBitrate(
            SSRC,
            receptions.map(({ ssrc }) => ssrc),
            maxBitrate,
          )
        : new Uint8Array(0);
      const compound = new Uint8Array(report.length + bitrate.length);
      compound.set(report);
      compound.set(bitrate, report.length);
      this.#peer?.send(mid, compound);
    }
  }
}

/** One for each layer of a picture; of anything else one that is none. */
function layersOf({ media, layers = [] }: ChosenMedia): (Layer | undefined)[] {
  const extension = media.extensions.get(STREAM_ID_URI);
  if (layers.length === 0 || extension === undefined) return [undefined];
  return layers.map((rid, index) => ({ index, rid, extension }));
}

/** How long pictures wait for the first sound, in milliseconds. */
const SOUND_WAIT_MS = 2_000;
