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

/** An encoder on air. */
class RtmpPublisher implements RtmpInlet {
  readonly #publication: Publication;
  readonly #intake: TagIntake;
  readonly #release: (reason: string) => void;
  #bytes = 0;

  constructor(peer: RtmpPeer, stream: StreamName, streamId: number, identity: string, deps: RtmpIngestDeps) {
    const stop = (reason: string): void => {
      peer.sendStatus(streamId, 'error', 'NetStream.Publish.Denied', reason);
      peer.close(reason);
    };
    this.#publication = deps.registry.publish(stream, { protocol: peer.transport, identity, revoked: stop });
    this.#intake = new TagIntake(this.#publication);
    const since = performance.now();
    const figures = () => ({ bytes: this.#bytes, skips: 0, dropped: this.#intake.dropped, backlog: 0 });
    const { address } = peer;
    const session = deps.sessions.add({
      kind: 'publisher',
      protocol: peer.transport,
      stream,
      address,
      figures,
      close: (reason) => this.#publication.revoke(reason),
    });
    const told = { session: session.id, connection: peer.id, stream, protocol: peer.transport, address };
    deps.log('publisher came', { ...told, encoder: peer.connect.flashVer });
    this.#release = (reason) => {
      session.remove();
      const { bytes, dropped } = figures();
      const seconds = Math.round((performance.now() - since) / 1000);
      deps.log('publisher left', { ...told, reason, seconds, bytes, dropped, fault: this.#intake.lastFault });
    };
  }

  media(message: MediaMessage): void {
    this.#bytes += message.body.length;
    this.#intake.push(message);
  }

  data(event: RtmpDataEvent): void {
    this.#intake.pushData(event, event.timestampMs);
  }

  closed(reason: string): void {
    this.#publication.close(reason);
    this.#release(reason);
  }
}
