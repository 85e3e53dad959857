export * from './box.ts';
export * from './box-stream.ts';
export * from './chunk.ts';
export * from './dump.ts';
export * from './event-carrier.ts';
export * from './event-message.ts';
export { type FileType, readFileType } from './file-type.ts';
export * from './fragment.ts';
export * from './fragment-demuxer.ts';
export {
  type FragmentSample,
  type FragmentTrack,
  type MovieFragment,
  readMovieFragment,
} from './fragment-samples.ts';
export * from './init.ts';
export * from './movie.ts';
export * from './parse-chunks.ts';
export * from './parse-init.ts';
export * from './producer-reference-time.ts';
export type { SampleEntry, SampleEntryExtras } from './sample-entry.ts';
export * from './sample-table-writer.ts';
export * from './sampled-movie.ts';
export type { SampleDefaults } from './track-extends.ts';
