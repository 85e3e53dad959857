export * from './cmaf-fanouts.ts';
export * from './endless.ts';
export * from './socket-transport.ts';
export * from './viewing.ts';
