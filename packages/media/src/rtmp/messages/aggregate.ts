import { ByteReader, ByteWriter } from '../../bytes/index.ts';
import { ParseError } from '../../model/errors.ts';
import { type ChunkMessage, MessageType } from '../chunk-message.ts';

const CLAUSE = 'RTMP 1.0 §7.1.6';
/** Most messages in one aggregate; servers join about a second of media. */
export const MAX_AGGREGATE_MESSAGES = 8192;

/**
 * The messages inside an aggregate (type 22). Their times are moved so that the first has the
 * aggregate's own; their stream id is the aggregate's. Bodies are views.
 * @throws ParseError `RTMP_AGGREGATE_INVALID` where sizes or back pointers lie.
 */
export function splitAggregate(aggregate: ChunkMessage): ChunkMessage[] {
  const reader = new ByteReader(aggregate.body, CLAUSE);
  const messages: ChunkMessage[] = [];
  let shift: number | undefined;
  while (reader.remaining > 0) {
    if (reader.remaining < 15) invalid(`${reader.remaining} bytes left over`, reader.position);
    const type = reader.u8();
    const length = reader.u24();
    const low = reader.u24();
    const time = (low | (reader.u8() << 24)) >>> 0;
    reader.skip(3); // stream id, to be ignored
    if (length + 4 > reader.remaining) {
      invalid(`${length} bytes announced, ${reader.remaining - 4} left`, reader.position);
    }
    const body = reader.bytes(length);
    const back = reader.u32();
    if (back !== length + 11) invalid(`back pointer ${back}, ${length + 11} wanted`, reader.position);
    if (type === MessageType.aggregate) invalid('an aggregate in an aggregate', reader.position);
    if (messages.length === MAX_AGGREGATE_MESSAGES) {
      invalid(`more than ${MAX_AGGREGATE_MESSAGES} messages in an aggregate`, reader.position);
    }
    shift ??= aggregate.timestampMs - time;
    messages.push({
      csid: aggregate.csid,
      type,
      streamId: aggregate.streamId,
      timestampMs: (time + shift) >>> 0,
      body,
    });
  }
  return messages;
}

/** Body of an aggregate of `messages`, with the times they have. */
export function joinAggregate(
  messages: readonly Pick<ChunkMessage, 'type' | 'timestampMs' | 'body'>[],
): Uint8Array {
  const out = new ByteWriter(1024);
  for (const { type, timestampMs, body } of messages) {
    out
      .u8(type)
      .u24(body.length)
      .u24(timestampMs & 0xff_ffff)
      .u8(timestampMs >>> 24)
      .u24(0);
    out.bytes(body).u32(body.length + 11);
  }
  return out.finish();
}

function invalid(what: string, offset: number): never {
  throw new ParseError('RTMP_AGGREGATE_INVALID', CLAUSE, what, offset);
}
