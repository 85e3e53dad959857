export * from './cadence.ts';
export * from './cmaf-log.ts';
export * from './cmaf-packager.ts';
