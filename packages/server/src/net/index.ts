export { Allowance } from './allowance.ts';
export { bindAddress } from './any-address.ts';
export { type CertificateSource, fingerprint, loadIdentity, OWN_CERTIFICATE_FILE } from './certificate.ts';
export { cutSocket } from './cut-socket.ts';
export { allowEndlessBody } from './endless-body.ts';
export { goneAtEnd } from './gone-at-end.ts';
export {
  answerPreflight,
  answerPrepared,
  answerProblem,
  answerRanged,
  isKnown,
} from './http-answer.ts';
export { type ClientReader, createClientReader, createProxyTrust, type HttpClient } from './http-client.ts';
export { acceptsCoding, type ContentCoding, chooseCoding } from './http-coding.ts';
export type { DirectHandler } from './http-direct.ts';
export { type Exchange, NodeExchange } from './http-exchange.ts';
export { type AnswerKind, mediaPreflightHeaders, securityHeaders } from './http-headers.ts';
export { checkHost, checkOrigin, hostNameOf, isOwnOrigin } from './http-origin.ts';
export { builtPages } from './http-pages.ts';
export { HttpProblem, type HttpProblemDetails, refusedForNow, sendProblem } from './http-problem.ts';
export { readByteRange } from './http-range.ts';
export { createHttpServer, type HttpServer, type HttpServerOptions } from './http-server.ts';
export { type UpgradeRequest, type UpgradeRoute, UpgradeRouter } from './http-upgrades.ts';
export { iceSettings } from './ice-servers.ts';
export {
  ConnectionClosed,
  type Message,
  type MessageConnection,
  type MessageHandler,
  type MessageRoute,
  serveMessages,
} from './message-socket.ts';
export { boundaryOf, type FormPart, readForm } from './multipart.ts';
export { isPublicAddress, lookupWithin, type Reach, whyOutOfReach } from './outbound.ts';
export { type HeaderList, PreparedAnswer } from './prepared-answer.ts';
export { openRtcEndpoint, type RtcEndpointOptions } from './rtc-endpoint.ts';
export type { RtcChannel, RtcEndpoint, RtcPeer, RtcPeerHandlers } from './rtc-peer.ts';
export {
  bearerOf,
  keyRequired,
  type RtcOfferCall,
  type RtcProtocol,
  type RtcSession,
  readingBody,
  registerRtcProtocol,
} from './rtc-sessions.ts';
export type { TlsIdentity } from './tls-listener.ts';
