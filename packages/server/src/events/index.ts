export * from './event-request.ts';
export * from './event-service.ts';
export * from './poll-method.ts';
export * from './polls.ts';
export * from './register.ts';
