import { RELAY_ROOT, type RelayTreeInfo } from '@onair/contracts/relay';
import type { IceServer } from '@onair/contracts/rooms';
import { isNamePart, type StreamName, streamName } from '@onair/media';
import type { Stream } from '../../hub/index.ts';
import { HttpProblem, type HttpServer, refusedForNow, type UpgradeRequest } from '../../net/index.ts';
import { stateMessage } from '../ws-fmp4/index.ts';
import { type RelayDeps, RelayMember } from './relay-member.ts';
import { RelayStream } from './relay-stream.ts';
import { mayRelay, type RelaySettings } from './settings.ts';

/** What the relay's endpoint is made with. */
export interface RelayEndpointDeps extends RelayDeps {
  settings(): RelaySettings;
  /** STUN and TURN servers for one viewer, with a password that ends. */
  ice(): readonly IceServer[];
}

/** The trees of all streams. */
export interface RelayTrees {
  /** The tree of a stream; an empty one if nobody relays it. */
  tree(stream: StreamName): RelayTreeInfo;
  /** Whether viewers may pass a stream on. */
  allowed(stream: StreamName): boolean;
  /** Bytes that viewers of a stream got from each other; undefined if it has no tree. */
  relayed(stream: StreamName): number | undefined;
  /** Ends every connection. Safe to call twice. */
  close(): void;
}

const SOCKET = /^\/(?<app>[^/]+)\/(?<name>[^/]+)\.relay$/;
/** How often the coordinators look at the time, ms. */
const TICK_MS = 100;

/** Serves `docs/protocols/relay.md` on `/APP/NAME.relay`. */
export function registerRelay(server: HttpServer, deps: RelayEndpointDeps): RelayTrees {
  const trees = new Map<Stream, RelayStream>();
  const treeOf = (stream: Stream): RelayStream => {
    const known = trees.get(stream);
    if (known !== undefined) return known;
    const made = new RelayStream(stream, deps, performance.now());
    trees.set(stream, made);
    timer ??= setInterval(look, TICK_MS).unref();
    return made;
  };
  // Runs while there are trees: a server that relays nothing is not woken for them.
  let timer: NodeJS.Timeout | undefined;
  const look = () => {
    const now = performance.now();
    for (const [stream, tree] of trees) {
      if (tree.size > 0 && !mayRelay(deps.settings(), stream.name)) tree.close('relaying is off');
      else if (tree.size > 0) tree.tick(now);
      else if (deps.registry.find(stream.name) !== stream) trees.delete(stream);
    }
    if (trees.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
  const unlisten = deps.registry.onChange((stream) => trees.get(stream)?.tellState(stateMessage(stream)));
  server.upgrades.add({ pattern: SOCKET, origins: 'any', handle });
  const find = (name: StreamName): RelayStream | undefined => {
    const stream = deps.registry.find(name);
    return stream === undefined ? undefined : trees.get(stream);
  };
  return {
    tree(name) {
      const enabled = mayRelay(deps.settings(), name);
      const sent = { blocks: 0, index: 0 };
      return (
        find(name)?.info(enabled) ?? {
          stream: name,
          enabled,
          root_uuid: RELAY_ROOT,
          sent,
          relayed: 0,
          nodes: [],
        }
      );
    },
    allowed: (name) => mayRelay(deps.settings(), name),
    relayed: (name) => find(name)?.relayed,
    close() {
      clearInterval(timer);
      unlisten();
      for (const tree of trees.values()) tree.close('server stopping');
      trees.clear();
    },
  };

  function handle({ request, socket, head, query, params, client }: UpgradeRequest): void {
    const { app, name } = params;
    if (!isNamePart(app) || !isNamePart(name)) throw new HttpProblem('STREAM_NAME_INVALID');
    const stream = streamName(app, name);
    if (!mayRelay(deps.settings(), stream)) {
      throw new HttpProblem('NOT_FOUND', { detail: `${stream} is not passed on by viewers` });
    }
    const known = deps.registry.find(stream);
    if (known !== undefined && (trees.get(known)?.size ?? 0) >= deps.settings().maxPeers) {
      throw refusedForNow('OVERLOADED', 5);
    }
    const after = countOf(query.get('after'));
    const epoch = countOf(query.get('epoch'));
    const asked = {
      stream,
      address: client.address,
      ...(after === undefined ? {} : { after }),
      ...(epoch === undefined ? {} : { epoch }),
    };
    RelayMember.accept(request, socket, head, asked, deps, {
      opened: (member) => treeOf(member.stream).opened(member),
      said: (member, message) => treeOf(member.stream).said(member, message),
      closed: (member) => trees.get(member.stream)?.closed(member),
    });
  }
}

function countOf(text: string | null): number | undefined {
  if (text === null) return undefined;
  if (!/^\d{1,15}$/.test(text))
    throw new HttpProblem('BAD_REQUEST', { detail: 'after and epoch are whole numbers' });
  return Number(text);
}
