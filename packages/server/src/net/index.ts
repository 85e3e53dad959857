export { bindAddress } from './any-address.ts';
export { type ClientReader, createClientReader, createProxyTrust, type HttpClient } from './http-client.ts';
export { type AnswerKind, mediaPreflightHeaders, securityHeaders } from './http-headers.ts';
export { checkHost, checkOrigin, hostNameOf, isOwnOrigin } from './http-origin.ts';
export { HttpProblem, type HttpProblemDetails, refusedForNow, sendProblem } from './http-problem.ts';
export { createHttpServer, type HttpServer, type HttpServerOptions } from './http-server.ts';
export { type UpgradeRequest, type UpgradeRoute, UpgradeRouter } from './http-upgrades.ts';
