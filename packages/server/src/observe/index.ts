export * from './address.ts';
export * from './channels.ts';
export * from './logger.ts';
export * from './loop-delay.ts';
export * from './metrics.ts';
export { REDACTED, redactUrl } from './redact.ts';
export * from './repeats.ts';
export * from './session-id.ts';
