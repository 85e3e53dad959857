import { Amf0Reader, type AmfValue, encodeAmf0 } from '../../amf/index.ts';
import { ParseError } from '../../model/errors.ts';
import { MessageType } from '../chunk-message.ts';

/** A data message (RTMP 1.0 §7.1.2): metadata, cue points, whatever an application sends along. */
export interface DataMessage {
  readonly kind: 'data';
  /** Handler, e.g. `onMetaData`. */
  readonly name: string;
  readonly values: readonly AmfValue[];
}

/**
 * Body of a type 18 (AMF0) or 15 (AMF3, led by a zero byte) message.
 * @throws ParseError `RTMP_COMMAND_INVALID` without a name, or what decoding AMF gives.
 */
export function decodeData(type: number, body: Uint8Array): DataMessage {
  const reader = new Amf0Reader(type === MessageType.dataAmf3 && body[0] === 0 ? body.subarray(1) : body);
  const name = reader.done ? undefined : reader.value();
  if (typeof name !== 'string') {
    throw new ParseError('RTMP_COMMAND_INVALID', 'RTMP 1.0 §7.1.2', `data message named by ${typeof name}`);
  }
  const values: AmfValue[] = [];
  while (!reader.done) values.push(reader.value());
  return { kind: 'data', name, values };
}

/** Body of a type 18 data message. */
export function encodeData(name: string, values: readonly AmfValue[]): Uint8Array {
  return encodeAmf0([name, ...values]);
}
