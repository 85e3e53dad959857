export * from './local-source.ts';
