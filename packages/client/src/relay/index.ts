export * from './ports.ts';
export * from './relay-node.ts';
export * from './relay-socket.ts';
export * from './rtc-link.ts';
