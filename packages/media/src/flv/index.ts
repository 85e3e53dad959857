export * from './audio-clock.ts';
export * from './audio-message.ts';
export * from './flv-reader.ts';
export * from './fourcc.ts';
export * from './tag.ts';
export * from './tag-demuxer.ts';
export * from './tag-muxer.ts';
export * from './video-message.ts';
