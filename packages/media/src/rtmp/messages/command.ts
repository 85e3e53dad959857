import { Amf0Reader, type AmfValue, encodeAmf0 } from '../../amf/index.ts';
import { ParseError } from '../../model/errors.ts';
import { MessageType } from '../chunk-message.ts';

/** A command (RTMP 1.0 §7.2): a call, or the answer to one. */
export interface CommandMessage {
  readonly kind: 'command';
  readonly name: string;
  /** 0 where no answer is wanted; answers carry the number of the call. */
  readonly transactionId: number;
  /** Command object or null, then the arguments. */
  readonly values: readonly AmfValue[];
}

/**
 * Body of a type 20 (AMF0) or 17 message. Type 17 begins with a zero byte, then AMF0 that switches to
 * AMF3 where it likes.
 * @throws ParseError `RTMP_COMMAND_INVALID`, or what decoding AMF gives.
 */
export function decodeCommand(type: number, body: Uint8Array): CommandMessage {
  const reader = new Amf0Reader(type === MessageType.commandAmf3 && body[0] === 0 ? body.subarray(1) : body);
  if (reader.done) invalid('an empty command message');
  const name = reader.value();
  if (typeof name !== 'string') invalid(`command name of type ${typeof name}`);
  const transactionId = reader.done ? 0 : reader.value();
  if (typeof transactionId !== 'number' || !Number.isFinite(transactionId)) {
    invalid(`transaction id of ${JSON.stringify(name.slice(0, 40))} is not a number`);
  }
  const values: AmfValue[] = [];
  while (!reader.done) values.push(reader.value());
  return { kind: 'command', name, transactionId, values };
}

/** Body of a type 20 command message. */
export function encodeCommand(name: string, transactionId: number, values: readonly AmfValue[]): Uint8Array {
  return encodeAmf0([name, transactionId, ...values]);
}

function invalid(what: string): never {
  throw new ParseError('RTMP_COMMAND_INVALID', 'RTMP 1.0 §7.2', what);
}
