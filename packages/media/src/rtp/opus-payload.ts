import { opusPacketFrames } from '../bitstream/index.ts';
import { malformedPayload, type PayloadFormat } from './payload-format.ts';

const CLAUSE = 'RFC 7587 §4.2';

/** Opus: a payload is a packet. RFC 7587. */
export const OPUS_PAYLOAD: PayloadFormat = {
  clockRate: 48_000,
  packetIsUnit: true,
  split(unit) {
    opusPacketFrames(unit);
    return [unit];
  },
  join(payloads) {
    const [packet] = payloads;
    if (packet === undefined || payloads.length !== 1) {
      throw malformedPayload(CLAUSE, `${payloads.length} packets with one timestamp`);
    }
    return packet.slice();
  },
};
