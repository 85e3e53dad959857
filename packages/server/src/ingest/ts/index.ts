export { registerTsIngest, type TsIngestDeps } from './ts-ingest.ts';
export { type TsPeer, TsPublisher, type TsPublisherDeps } from './ts-publisher.ts';
