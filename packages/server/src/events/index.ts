export * from './event-request.ts';
export * from './event-service.ts';
export * from './register.ts';
