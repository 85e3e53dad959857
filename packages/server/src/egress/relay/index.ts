export * from './register-relay.ts';
export { mayRelay, type RelaySettings } from './settings.ts';
