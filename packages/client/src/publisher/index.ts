export * from './whip-publisher.ts';
