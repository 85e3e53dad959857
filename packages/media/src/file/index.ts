export * from './byte-source.ts';
export * from './format.ts';
export * from './init-parameters.ts';
export * from './media-file.ts';
export { MAX_TABLE_SAMPLES, sampleTable, type TableEntry } from './sample-table.ts';
