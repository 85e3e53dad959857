export * from './ts-packager.ts';
export { DATE_TAG, type TimedTags } from './ts-segment.ts';
