export * from './check.ts';
export * from './compare.ts';
export * from './model.ts';
export { MAX_TIMELINE_SEGMENTS, parseMpd } from './parse.ts';
export * from './template.ts';
export {
  readDateTime,
  readDuration,
  readFrameRate,
  writeDateTime,
  writeDuration,
  writeFrameRate,
} from './values.ts';
export { MPD_NAMESPACE, writeMpd } from './write.ts';
export { escapeXml, MAX_XML_DEPTH, MAX_XML_LENGTH, parseXml, type XmlElement } from './xml.ts';
