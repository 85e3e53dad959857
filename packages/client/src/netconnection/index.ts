export type { Carrier, CarrierListener } from './carrier.ts';
export * from './events.ts';
export { NetConnection, type NetConnectionOptions, Responder } from './net-connection.ts';
export type { OpenCarrier } from './net-link.ts';
export { NetStream, Video } from './net-stream.ts';
export { SharedObject } from './shared-object.ts';
