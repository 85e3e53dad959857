export type { FiredEvent } from '../player/event-clock.ts';
export * from './dash-events.ts';
