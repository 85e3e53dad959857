export { coordinate } from './coordinate.ts';
export type { RelayCommand, RelayContext, RelayEvent } from './events.ts';
export { faultsOf } from './invariants.ts';
export { nodeOf, type RelayPeer } from './peer.ts';
export { DEFAULT_RELAY_POLICY, type RelayPolicy } from './policy.ts';
export { createRelayState, type RelayState } from './state.ts';
export type { RelayTree } from './tree.ts';
