export * from './whep.ts';
