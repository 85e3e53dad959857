import {
  Fanout,
  type FanoutContext,
  type Packager,
  type PackagerKind,
  type Stream,
} from '../../hub/index.ts';
import type { CmafConfig, CmafLog } from '../../packager/cmaf/index.ts';

/** The kind of packager whose log of CMAF chunks is served. */
export type CmafKind = PackagerKind<Packager & { readonly log: CmafLog }>;

/** The pumps of each stream's CMAF log, shared by all outputs that send chunks as they come. */
export class CmafFanouts {
  readonly #kind: CmafKind;
  readonly #context: FanoutContext;
  readonly #fanouts = new WeakMap<CmafLog, Fanout<CmafConfig>>();

  constructor(kind: CmafKind, context: FanoutContext) {
    this.#kind = kind;
    this.#context = context;
  }

  /** The log that the pumps read. */
  logOf(stream: Stream): CmafLog {
    return stream.packager(this.#kind).log;
  }

  /** The stream's pumps. */
  of(stream: Stream): Fanout<CmafConfig> {
    const log = this.logOf(stream);
    const known = this.#fanouts.get(log);
    if (known !== undefined) return known;
    const fanout = new Fanout(log, this.#context);
    this.#fanouts.set(log, fanout);
    return fanout;
  }
}
