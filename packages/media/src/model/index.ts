export * from './codec.ts';
export * from './errors.ts';
export * from './sample.ts';
export * from './stream-name.ts';
export * from './timed-event.ts';
