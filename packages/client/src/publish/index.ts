export * from './chunk-spool.ts';
export * from './recording-type.ts';
export * from './upload-publisher.ts';
