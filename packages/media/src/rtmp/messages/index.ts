export * from './aggregate.ts';
export * from './command.ts';
export * from './control.ts';
export * from './data.ts';
export * from './message.ts';
export * from './shared-object.ts';
export * from './user-control.ts';
