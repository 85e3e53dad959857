export * from './callbacks.ts';
export { ConfError } from './conf.ts';
export * from './importer.ts';
export * from './register.ts';
export * from './rtmp-callbacks.ts';
