import type { Socket } from 'node:net';
import { concatBytes } from '@onair/media/bytes';
import { progressiveHeader } from '@onair/media/isobmff';
import type { Envelope, Stream } from '../../hub/index.ts';
import type { CmafConfig } from '../../packager/cmaf/index.ts';
import {
  type CmafFanouts,
  endlessHead,
  type LiveDeps,
  type LiveRequest,
  serveEndless,
} from '../live/index.ts';

/** What the endless fMP4 file needs. */
export interface Fmp4HttpDeps extends LiveDeps {
  readonly fanouts: CmafFanouts;
  /** Merge window for viewers who ask for none, in milliseconds. */
  windowMs(): number;
}

const HEAD = endlessHead('video/mp4');
const NOTHING = new Uint8Array(0);

/** One endless file: a header with every track, then the chunks as they come. */
const PROGRESSIVE: Envelope<CmafConfig> = {
  name: 'fmp4',
  opening: (epoch) => progressiveHeader(epoch.tracks.filter((track) => epoch.config.inits.has(track.id))),
  // A file has one header: who needs another starts another file.
  config: () => NOTHING,
  // Events are in the chunks too.
  batch: (blocks) => concatBytes(blocks.filter(({ kind }) => kind === 'media').map(({ bytes }) => bytes)),
};

/** Answers requests with an endless progressive fMP4 file. A change of parameters ends the file. */
export class Fmp4HttpServer {
  readonly #deps: Fmp4HttpDeps;
  readonly #open = new Map<
    Stream,
    Set<{ readonly epoch: () => number; readonly end: (reason: string) => void }>
  >();
  readonly #unlisten: () => void;

  constructor(deps: Fmp4HttpDeps) {
    this.#deps = deps;
    this.#unlisten = deps.registry.onChange((stream) => {
      const now = stream.epoch?.number ?? 0;
      for (const file of [...(this.#open.get(stream) ?? [])]) {
        const epoch = file.epoch();
        if (epoch !== 0 && epoch !== now) file.end('stream-ended');
      }
    });
  }

  /** @throws HubError before anything was written. */
  serve(socket: Socket, request: LiveRequest): void {
    const deps = this.#deps;
    if (request.head === true) {
      socket.end(HEAD);
      return;
    }
    const { viewing, transport, end } = serveEndless(socket, HEAD, 'fmp4', request, deps, () => {
      files.delete(file);
      if (files.size === 0) this.#open.delete(viewing.stream);
    });
    const file = { epoch: () => viewing.viewer?.epoch ?? 0, end };
    const files = this.#open.get(viewing.stream) ?? new Set();
    this.#open.set(viewing.stream, files.add(file));
    const windowMs = request.windowMs ?? deps.windowMs();
    const pump = deps.fanouts.of(viewing.stream).pump({ envelope: PROGRESSIVE, tracks: 'all', windowMs });
    viewing.join(pump.join(transport));
  }

  close(): void {
    this.#unlisten();
    this.#open.clear();
  }
}
