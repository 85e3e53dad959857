import { BlockReader, type ByteSource, DETECT_BYTES, detectFormat, type FileFormat } from '../file/index.ts';
import { ParseError } from '../model/index.ts';
import { Inquiry, type InspectHandler } from './inquiry.ts';
import { Mp4Inspector } from './inspect-mp4.ts';
import { inspectDash, inspectHls } from './inspect-playlist.ts';
import { inspectFlv, inspectMpegts, inspectWebm } from './inspect-streamed.ts';
import type { Report } from './model.ts';

/**
 * Looks into a media file, stream or playlist, read by ranges in memory that does not grow with it. Whatever the bytes
 * are, they end in a report: what is malformed becomes a finding at its offset.
 * @throws only what the source throws.
 */
export async function inspect(source: ByteSource, handler: InspectHandler = {}): Promise<Report> {
  const reader = new BlockReader(source);
  const inquiry = new Inquiry(handler);
  const head = await reader.read(0, DETECT_BYTES);
  const format = detectFormat(head);
  inquiry.format = format;
  try {
    await read(format, reader, inquiry, handler);
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    inquiry.findings.parse(error, undefined);
  }
  if (format === undefined) {
    inquiry.findings.say('error', head.length === 0 ? 'format-unknown/empty' : 'format-unknown', {}, 0);
  }
  return inquiry.report(source.size ?? reader.end, reader.bytesRead);
}

function read(
  format: FileFormat | undefined,
  reader: BlockReader,
  inquiry: Inquiry,
  { onNode }: InspectHandler,
): Promise<void> {
  switch (format) {
    case 'mp4':
      return new Mp4Inspector(reader, inquiry).run();
    case 'webm':
      return inspectWebm(reader, inquiry);
    case 'flv':
      return inspectFlv(reader, inquiry);
    case 'mpegts':
      return inspectMpegts(reader, inquiry, onNode !== undefined);
    case 'hls':
      return inspectHls(reader, inquiry);
    case 'dash':
      return inspectDash(reader, inquiry);
    case undefined:
      return Promise.resolve();
  }
}
