import { isNamePart, type StreamName, streamName, type Track } from '@onair/media';
import type { PlayRequest } from '@onair/media/rtmp';
import {
  HubError,
  type PackagerKind,
  type PumpTracks,
  type Stream,
  type StreamState,
} from '../../hub/index.ts';
import type { RtmpOutlet, RtmpPeer, RtmpPlayRefusal } from '../../net/rtmp-handlers.ts';
import type { TagPackager } from '../../packager/tags/index.ts';
import { type LiveDeps, SocketTransport, Viewing } from '../live/index.ts';
import { lackOf, takesExactTimes, takesMultitrack } from './player-abilities.ts';
import { RecordedPlayer, type RecordingArchive } from './recorded-player.ts';
import { rtmpEnvelope } from './rtmp-envelope.ts';

/** What RTMP play needs. */
export interface RtmpEgressDeps extends LiveDeps {
  /** The stream's RTMP messages. */
  readonly kind: PackagerKind<TagPackager>;
  /** The same with exact times, for players that take them; without it nobody gets them. */
  readonly preciseKind?: PackagerKind<TagPackager>;
  /** Merge window in milliseconds. */
  windowMs(): number;
  /** True lets players wait for a stream that is not on air; false answers StreamNotFound. */
  waitForPublisher(): boolean;
  /**
   * Whether players hear UnpublishNotify while the publisher is away. librtmp, FFmpeg and GStreamer take
   * it for the end; untold, they stay and go on when the publisher is back.
   */
  notifyAway(): boolean;
  /** Whether players that list no codecs of Enhanced RTMP are sent them all the same. */
  assumeEnhanced?(): boolean;
  /** Recordings, for players that ask for a place in one. */
  readonly archive?: RecordingArchive;
}

/** RTMP play: lets players in and keeps them told about their publishers. */
export class RtmpEgress {
  readonly #deps: RtmpEgressDeps;
  readonly #players = new Map<Stream, Set<RtmpPlayer>>();
  readonly #unlisten: () => void;

  constructor(deps: RtmpEgressDeps) {
    this.#deps = deps;
    this.#unlisten = deps.registry.onChange((stream) => {
      for (const player of this.#players.get(stream) ?? []) player.changed(stream.state);
    });
  }

  /** Lets a player in, or tells why not. */
  async play(peer: RtmpPeer, request: PlayRequest): Promise<RtmpOutlet | RtmpPlayRefusal> {
    const { app, name } = request;
    const bad = !isNamePart(app) || !isNamePart(name) || peer.connect.instance !== '';
    const stream = bad ? undefined : streamName(app, name);
    if (stream !== undefined && typeof request.start === 'number') {
      const media = await this.#deps.archive?.open(stream);
      if (media === undefined)
        return { refused: 'NetStream.Play.StreamNotFound', reason: 'There is no such recording.' };
      return new RecordedPlayer(peer, request, stream, media, this.#deps);
    }
    const state = stream === undefined ? 'idle' : (this.#deps.registry.find(stream)?.state ?? 'idle');
    const there = state === 'live' || state === 'waiting';
    if (stream === undefined || (!there && !this.#deps.waitForPublisher())) {
      return { refused: 'NetStream.Play.StreamNotFound', reason: 'There is no such stream.' };
    }
    try {
      return this.#open(peer, request, stream);
    } catch (error) {
      if (error instanceof HubError) return { refused: 'NetStream.Play.Failed', reason: error.message };
      throw error;
    }
  }

  /** Stops telling players. */
  close(): void {
    this.#unlisten();
    this.#players.clear();
  }

  #open(peer: RtmpPeer, request: PlayRequest, stream: StreamName): RtmpPlayer {
    const player = new RtmpPlayer(peer, request, stream, this.#deps, (from, to) => {
      const players = this.#players.get(from);
      players?.delete(player);
      if (players?.size === 0) this.#players.delete(from);
      if (to !== undefined) this.#note(player, to);
    });
    this.#note(player, player.stream);
    return player;
  }

  #note(player: RtmpPlayer, stream: Stream): void {
    const players = this.#players.get(stream);
    if (players === undefined) this.#players.set(stream, new Set([player]));
    else players.add(player);
  }
}

/** One player. */
class RtmpPlayer implements RtmpOutlet {
  readonly #peer: RtmpPeer;
  readonly #request: PlayRequest;
  readonly #deps: RtmpEgressDeps;
  #viewing: Viewing;
  readonly #left: (from: Stream, to?: Stream) => void;
  /** What it is fed from, once it is. */
  #kind: PackagerKind<TagPackager> | undefined;
  #state: StreamState;
  #started = false;
  #paused = false;
  #audio = true;
  #video = true;

  constructor(
    peer: RtmpPeer,
    request: PlayRequest,
    stream: StreamName,
    deps: RtmpEgressDeps,
    left: (from: Stream, to?: Stream) => void,
  ) {
    this.#peer = peer;
    this.#request = request;
    this.#deps = deps;
    this.#left = left;
    this.#viewing = this.#view(stream);
    this.#state = this.#viewing.stream.state;
  }

  get stream(): Stream {
    return this.#viewing.stream;
  }

  started(): void {
    this.#started = true;
    if (this.#state !== 'ended') this.#join();
  }

  paused(paused: boolean): void {
    this.#paused = paused;
    this.#steer();
  }

  receive(media: 'audio' | 'video', on: boolean): void {
    const before = this.#tracks;
    if (media === 'audio') this.#audio = on;
    else this.#video = on;
    if (this.#started && this.#state !== 'ended' && this.#tracks !== before && this.#tracks !== undefined) {
      this.#join();
    }
    this.#steer();
  }

  drained(): void {
    this.#viewing.viewer?.drained();
  }

  closed(reason: string): void {
    this.#viewing.close(reason);
    this.#left(this.stream);
  }

  /** The stream's state may have changed. */
  changed(state: StreamState): void {
    const before = this.#state;
    if (state === before) return;
    this.#state = state;
    if (!this.#started) return;
    const { streamId, name } = this.#request;
    if (state === 'waiting' && this.#deps.notifyAway()) this.#peer.notify(streamId, name, false);
    if (state !== 'live') return;
    if (before === 'ended') this.#join();
    else if (this.#cannotPlay()) return;
    if (before === 'idle' || this.#deps.notifyAway()) this.#peer.notify(streamId, name, true);
  }

  #view(stream: StreamName): Viewing {
    return new Viewing(this.#deps, {
      stream,
      protocol: this.#peer.transport,
      address: this.#peer.address,
      close: (reason) => this.#finish(reason),
      move: (to) => this.#move(to),
    });
  }

  /** Goes on with another stream; false, and stays, if there is none. */
  #move(to: StreamName): boolean {
    const from = this.#viewing;
    const state = this.#deps.registry.find(to)?.state;
    const there = state === 'live' || state === 'waiting';
    if (to === from.stream.name || (!there && !this.#deps.waitForPublisher())) return false;
    try {
      this.#viewing = this.#view(to);
    } catch (error) {
      if (error instanceof HubError) return false;
      throw error;
    }
    from.close('moved');
    this.#kind = undefined;
    this.#left(from.stream, this.stream);
    this.#state = this.stream.state;
    if (this.#started && this.#state !== 'ended') this.#join();
    return true;
  }

  /** What the player wants to receive; undefined for nothing. */
  get #tracks(): PumpTracks | undefined {
    if (this.#audio && this.#video) return takesMultitrack(this.#peer.connect) ? 'all' : 'default';
    if (this.#video) return 'video';
    return this.#audio ? 'audio' : undefined;
  }

  /** Takes the feed of the pump for the tracks that are wanted; the decoder's set-up stays. */
  #join(): void {
    this.#kind ??= this.#kindFor(this.stream.epoch?.tracks ?? []);
    if (this.#cannotPlay()) return;
    const tracks = this.#tracks ?? 'default';
    const { fanout } = this.stream.packager(this.#kind);
    const envelope = rtmpEnvelope(this.#request.streamId, tracks === 'all');
    const { epoch = 0, nextSeq: told = 0 } = this.#viewing.viewer ?? {};
    const pump = fanout.pump({ envelope, tracks, windowMs: this.#deps.windowMs() });
    const transport = new SocketTransport(this.#peer.socket, (reason) => this.#finish(reason));
    this.#viewing.join(pump.join(transport, epoch > 0 ? { epoch, told } : {}));
    this.#steer();
  }

  #kindFor(tracks: readonly Track[]): PackagerKind<TagPackager> {
    const { kind, preciseKind = kind } = this.#deps;
    return takesExactTimes(this.#peer.connect, tracks) ? preciseKind : kind;
  }

  /** Ends the play with a status if the player lacks a codec of the stream as it is now. */
  #cannotPlay(): boolean {
    const sent =
      this.stream.epoch === undefined ? undefined : this.stream.packager(this.#kind ?? this.#deps.kind);
    const tracks = sent?.tracks ?? [];
    const lack = lackOf(this.#peer.connect, tracks, this.#deps.assumeEnhanced?.() === true);
    if (lack === undefined) return false;
    const { streamId } = this.#request;
    this.#peer.sendStatus(streamId, 'error', 'NetStream.Play.NoSupportedTrackFound', lack);
    this.#peer.close(lack);
    return true;
  }

  #steer(): void {
    const viewer = this.#viewing.viewer;
    if (viewer === undefined) return;
    if (this.#paused || this.#tracks === undefined) viewer.pause();
    else viewer.play();
  }

  /** The feed ended: the stream is over, the player too slow, or somebody ended the session. */
  #finish(reason: string): void {
    if (reason === 'stream-ended') {
      this.#peer.endPlay(this.#request.streamId, this.#request.name);
    }
    this.#peer.close(reason);
  }
}
