import { decodeRelayChannel, type RelaySignal, type RelayUuid } from '@onair/contracts/relay';
import { ChildPump } from './child-pump.ts';
import type { HeldBlocks } from './held-blocks.ts';
import type { RelayLink, RelayPorts } from './ports.ts';
import type { UploadBudget } from './upload-budget.ts';

/** One child, expected or there. */
interface Child {
  readonly attempt: number;
  readonly since: number;
  link: RelayLink | undefined;
  pump: ChildPump | undefined;
}

/** A child that was announced must come within this time, ms. */
const EXPECT_MS = 8_000;

/** The links of a peer to those below it. Only those whom the coordinator announced get in. */
export class ChildLinks {
  readonly #ports: RelayPorts;
  readonly #held: HeldBlocks;
  readonly #budget: UploadBudget;
  readonly #children = new Map<RelayUuid, Child>();
  #sent = 0;

  constructor(ports: RelayPorts, held: HeldBlocks, budget: UploadBudget) {
    this.#ports = ports;
    this.#held = held;
    this.#budget = budget;
  }

  /** Whom it feeds. */
  get uuids(): RelayUuid[] {
    return [...this.#children].filter(([, { pump }]) => pump !== undefined).map(([uuid]) => uuid);
  }

  /** Bytes of blocks sent to children. */
  get sent(): number {
    let sent = this.#sent;
    for (const { pump } of this.#children.values()) sent += pump?.bytes ?? 0;
    return sent;
  }

  /** The coordinator announces a child. */
  expect(uuid: RelayUuid, attempt: number, now: number): void {
    this.release(uuid);
    this.#children.set(uuid, { attempt, since: now, link: undefined, pump: undefined });
  }

  /** The coordinator wants the child to be let go. */
  release(uuid: RelayUuid): void {
    const child = this.#children.get(uuid);
    if (child === undefined) return;
    this.#children.delete(uuid);
    this.#sent += child.pump?.bytes ?? 0;
    child.link?.close();
  }

  /** Something from a child by way of the server. */
  signal(signal: RelaySignal, ice: RTCConfiguration): void {
    const uuid = signal.peer_uuid;
    const child = this.#children.get(uuid);
    if (child === undefined || child.attempt !== signal.attempt) return;
    if (child.link === undefined) {
      if (signal.description?.type !== 'offer') return;
      child.link = this.#open(uuid, child, ice);
    }
    child.link.signal(signal);
  }

  /** What is held was cleared. @param renumbered the numbers of blocks count anew */
  restart(renumbered: boolean): void {
    for (const { pump } of this.#children.values()) pump?.restart(renumbered);
  }

  /** Passes on what is there. */
  pump(now: number): void {
    for (const [uuid, { pump, since }] of this.#children) {
      const good = pump === undefined ? now - since < EXPECT_MS : pump.pump(now);
      if (!good) this.release(uuid);
    }
  }

  close(): void {
    for (const uuid of [...this.#children.keys()]) this.release(uuid);
  }

  #open(uuid: RelayUuid, child: Child, ice: RTCConfiguration): RelayLink {
    const gone = (): void => {
      if (this.#children.get(uuid) === child) this.release(uuid);
    };
    const link = this.#ports.link('parent', ice, {
      signal: (signal) =>
        this.#ports.send({ type: 'signal', peer_uuid: uuid, attempt: child.attempt, ...signal }),
      opened: () => {
        child.pump = new ChildPump(link, this.#held, this.#budget, performance.now());
      },
      message: (bytes) => {
        try {
          const message = decodeRelayChannel(bytes);
          if (message.type === 'start') child.pump?.start(message.after);
          if (child.pump?.pump(performance.now()) === false) gone();
        } catch {
          gone();
        }
      },
      drained: () => {
        if (child.pump?.pump(performance.now()) === false) gone();
      },
      closed: gone,
    });
    return link;
  }
}
