export * from './rtmp-publisher.ts';
