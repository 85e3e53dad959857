import type { Clock } from '../../packages/server/src/hub/index.ts';
/** A clock that moves only when told. Starts at wall time 1,700,000,000,000. */
export declare class FakeClock implements Clock {
  #private;
  now(): number;
  wall(): number;
  after(ms: number, callback: () => void): () => void;
  soon(callback: () => void): () => void;
  /** Timers that have not fired. */
  get waiting(): number;
  /** Moves on by `ms`, firing what falls due in order. */
  advance(ms: number): void;
}
