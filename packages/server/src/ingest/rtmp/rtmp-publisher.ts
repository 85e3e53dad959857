import { type StreamName, streamName } from '@onair/media';
import type { MediaMessage, PublishRequest, RtmpDataEvent } from '@onair/media/rtmp';
import { HubError, type Publication, type SessionTable, type StreamRegistry } from '../../hub/index.ts';
import type { RtmpInlet, RtmpPeer, RtmpPublishRefusal } from '../../net/rtmp-handlers.ts';
import { TagIntake } from '../tag-intake.ts';

/** Decides who may publish; asked before any success is told. */
export interface PublishGate {
  authorize(request: {
    readonly app: string;
    readonly name: string;
    readonly query: string;
    readonly address: string;
    readonly protocol: string;
  }): Promise<
    | { readonly ok: true; readonly identity: string }
    | { readonly ok: false; readonly code: string; readonly reason: string }
  >;
}

/** What RTMP ingest needs. */
export interface RtmpIngestDeps {
  readonly registry: StreamRegistry;
  readonly sessions: SessionTable;
  readonly gate: PublishGate;
  /** One line about begin and end of a session. */
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

/** Lets an encoder in, or tells why not. */
export async function acceptRtmpPublisher(
  peer: RtmpPeer,
  request: PublishRequest,
  deps: RtmpIngestDeps,
): Promise<RtmpInlet | RtmpPublishRefusal> {
  const { app, name } = request;
  if (peer.connect.instance !== '') {
    return { refused: 'NetStream.Publish.BadName', reason: 'application instances are not supported' };
  }
  const query = request.query === '' ? peer.connect.query : request.query;
  const answer = await deps.gate.authorize({
    app,
    name,
    query,
    address: peer.address,
    protocol: peer.transport,
  });
  if (!answer.ok) {
    const refused =
      answer.code === 'STREAM_NAME_INVALID' ? 'NetStream.Publish.BadName' : 'NetStream.Publish.Denied';
    return { refused, reason: answer.reason };
  }
  try {
    return new RtmpPublisher(peer, streamName(app, name), request.streamId, answer.identity, deps);
  } catch (error) {
    if (error instanceof HubError) return { refused: 'NetStream.Publish.BadName', reason: error.message };
    throw error;
  }
}

/** Where an encoder is on air. */
interface Place {
  readonly stream: StreamName;
  readonly publication: Publication;
  bytes: number;
  release(reason: string): void;
}

/** An encoder on air. */
class RtmpPublisher implements RtmpInlet {
  readonly #peer: RtmpPeer;
  readonly #streamId: number;
  readonly #identity: string;
  readonly #deps: RtmpIngestDeps;
  readonly #intake: TagIntake;
  #place: Place;

  constructor(peer: RtmpPeer, stream: StreamName, streamId: number, identity: string, deps: RtmpIngestDeps) {
    this.#peer = peer;
    this.#streamId = streamId;
    this.#identity = identity;
    this.#deps = deps;
    const publication = this.#publish(stream);
    this.#intake = new TagIntake(publication);
    this.#place = this.#settle(stream, publication);
  }

  media(message: MediaMessage): void {
    this.#place.bytes += message.body.length;
    this.#intake.push(message);
  }

  data(event: RtmpDataEvent): void {
    this.#intake.pushData(event, event.timestampMs);
  }

  closed(reason: string): void {
    this.#place.publication.close(reason);
    this.#place.release(reason);
  }

  #publish(stream: StreamName): Publication {
    const { transport: protocol } = this.#peer;
    return this.#deps.registry.publish(stream, {
      protocol,
      identity: this.#identity,
      revoked: (reason) => {
        this.#peer.sendStatus(this.#streamId, 'error', 'NetStream.Publish.Denied', reason);
        this.#peer.close(reason);
      },
    });
  }

  #settle(stream: StreamName, publication: Publication): Place {
    const { transport: protocol, address, id: connection, connect } = this.#peer;
    const since = performance.now();
    const intake = this.#intake;
    const place: Place = { stream, publication, bytes: 0, release: () => undefined };
    const figures = () => ({ bytes: place.bytes, skips: 0, dropped: intake.dropped, backlog: 0 });
    const session = this.#deps.sessions.add({
      kind: 'publisher',
      protocol,
      stream,
      address,
      figures,
      close: (reason) => publication.revoke(reason),
      move: (to) => this.#move(to),
    });
    const told = { session: session.id, connection, stream, protocol, address };
    this.#deps.log('publisher came', { ...told, encoder: connect.flashVer });
    place.release = (reason) => {
      session.remove();
      const { bytes, dropped } = figures();
      const seconds = Math.round((performance.now() - since) / 1000);
      this.#deps.log('publisher left', { ...told, reason, seconds, bytes, dropped, fault: intake.lastFault });
    };
    return place;
  }

  /** Goes on air under another name; false, and stays, if that is taken. */
  #move(to: StreamName): boolean {
    const from = this.#place;
    if (to === from.stream || from.publication.closed) return false;
    let publication: Publication;
    try {
      publication = this.#publish(to);
    } catch (error) {
      if (error instanceof HubError) return false;
      throw error;
    }
    this.#intake.moveTo(publication);
    from.publication.close('moved');
    from.release('moved');
    this.#place = this.#settle(to, publication);
    return true;
  }
}
