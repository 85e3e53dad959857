export * from './register-relay.ts';
export type { RelaySettings } from './settings.ts';
