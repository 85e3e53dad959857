export * from './challenge.ts';
export * from './chunk-message.ts';
export * from './chunk-reader.ts';
export * from './chunk-writer.ts';
export * from './client-events.ts';
export * from './client-session.ts';
export { type ConnectRequest, connectRequest, splitQuery } from './connect-request.ts';
export * from './flow.ts';
export { ClientHandshake, type HandshakeOptions, ServerHandshake } from './handshake.ts';
export { HANDSHAKE_BYTES, type HandshakeCrypto } from './handshake-digest.ts';
export type { LinkLimits } from './link.ts';
export * from './messages/index.ts';
export { Rc4 } from './rc4.ts';
export * from './rtmpe.ts';
export * from './server-events.ts';
export {
  CAPS_EX,
  CLIENT_CAPS_EX,
  type ConnectAnswer,
  type ConnectRefusalCode,
  FORWARDED_FOURCCS,
} from './server-replies.ts';
export * from './server-session.ts';
export { MAX_MESSAGE_STREAMS } from './server-streams.ts';
export { MAX_WAITING_CONTROL_BYTES, type StatusLevel } from './session-output.ts';
export * from './tunnel.ts';
export * from './url.ts';
