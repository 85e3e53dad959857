export { Amf0Reader, decodeAmf0 } from './amf0-reader.ts';
export { Amf0Writer, encodeAmf0 } from './amf0-writer.ts';
export { Amf3Reader, decodeAmf3 } from './amf3-reader.ts';
export { Amf3Writer, encodeAmf3 } from './amf3-writer.ts';
export * from './json.ts';
export * from './value.ts';
