export * from './record.ts';
export * from './rtp-packager.ts';
