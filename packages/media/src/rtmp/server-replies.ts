import type { AmfObject } from '../amf/index.ts';
import { AmfEcmaArray } from '../amf/index.ts';
import { RTMP_SHARED_CHUNK_SIZE } from './chunk-writer.ts';
import type { ConnectRequest } from './connect-request.ts';
import type { RtmpLink } from './link.ts';
import type { PlayRequest } from './server-events.ts';
import type { SessionOutput } from './session-output.ts';

/** What an accepted `connect` tells the client beyond the standard. */
export interface ConnectAnswer {
  /** Codecs we pass on, for Enhanced RTMP clients; all known ones unless given. */
  readonly fourCcList?: readonly string[];
  /** Enhanced RTMP flags we honour, of {@link CAPS_EX}; all unless given. */
  readonly capsEx?: number;
  /** Further properties of the answer. */
  readonly properties?: AmfObject;
}

/** Flags of `capsEx` (Enhanced RTMP v2, NetConnection.connect). */
export const CAPS_EX = { reconnect: 1, multitrack: 2, modEx: 4, nanoOffset: 8 } as const;
/** What our server honours and does. */
const SERVER_CAPS_EX: number = CAPS_EX.reconnect | CAPS_EX.multitrack | CAPS_EX.modEx | CAPS_EX.nanoOffset;
/** What our client honours. */
export const CLIENT_CAPS_EX: number = SERVER_CAPS_EX;

/** Codecs of Enhanced RTMP that this package carries through untouched. */
export const FORWARDED_FOURCCS: readonly string[] = [
  'avc1',
  'hvc1',
  'vvc1',
  'av01',
  'vp08',
  'vp09',
  'mp4a',
  'Opus',
  '.mp3',
  'ac-3',
  'ec-3',
  'fLaC',
];

/** Server product told in `fmsVer`; clients look at its form, some at the number before the first comma. */
const SERVER_VERSION = 'FMS/3,5,7,7009';
const CAPABILITIES = 31;
/** Enhanced RTMP: this server forwards, and neither decodes nor encodes. */
const CAN_FORWARD = 4;

/** Windows, chunk size, StreamBegin(0) and `_result`, in the order of §7.2.1.1. */
export function replyConnected(
  link: RtmpLink,
  transactionId: number,
  request: ConnectRequest,
  answer: ConnectAnswer,
): void {
  const out = link.output;
  link.announceWindow();
  out.control({ kind: 'setPeerBandwidth', size: link.windowAckSize, limit: 'dynamic' });
  out.control({ kind: 'setChunkSize', size: RTMP_SHARED_CHUNK_SIZE });
  out.userControl({ kind: 'streamBegin', streamId: 0 });
  const properties: AmfObject = { fmsVer: SERVER_VERSION, capabilities: CAPABILITIES, mode: 1 };
  if (request.fourCcList !== undefined) {
    const ours = answer.fourCcList ?? FORWARDED_FOURCCS;
    const asked = request.fourCcList;
    properties.fourCcList =
      asked.length === 0 || asked.includes('*') ? [...ours] : ours.filter((fourCc) => asked.includes(fourCc));
    properties.videoFourCcInfoMap = { '*': CAN_FORWARD };
    properties.audioFourCcInfoMap = { '*': CAN_FORWARD };
    properties.capsEx = answer.capsEx ?? SERVER_CAPS_EX;
  }
  Object.assign(properties, answer.properties);
  out.command(0, '_result', transactionId, [
    properties,
    {
      level: 'status',
      code: 'NetConnection.Connect.Success',
      description: 'Connection succeeded.',
      objectEncoding: request.objectEncoding,
      data: new AmfEcmaArray({ version: SERVER_VERSION.slice(4) }),
    },
  ]);
}

/** Why a connection is refused. */
export type ConnectRefusalCode =
  `NetConnection.Connect.${'Rejected' | 'InvalidApp' | 'Failed' | 'AppShutdown'}`;

/** `_error` to `connect`; with a redirect in the form that clients look for. */
export function replyRejected(
  out: SessionOutput,
  transactionId: number,
  code: string,
  description: string,
  redirect: string | undefined,
): void {
  const info: AmfObject = { level: 'error', code, description };
  if (redirect !== undefined) info.ex = { code: 302, redirect };
  out.command(0, '_error', transactionId, [null, info]);
}

/** `_error` to a call that cannot be served. */
export function replyCallFailed(out: SessionOutput, transactionId: number, description: string): void {
  const info = { level: 'error', code: 'NetConnection.Call.Failed', description };
  out.command(0, '_error', transactionId, [null, info]);
}

/** StreamBegin and NetStream.Publish.Start, led by `onFCPublish` for clients that called FCPublish. */
export function replyPublishing(
  out: SessionOutput,
  streamId: number,
  name: string,
  fcPublish: boolean,
): void {
  const code = 'NetStream.Publish.Start';
  if (fcPublish) out.command(0, 'onFCPublish', 0, [null, { level: 'status', code, description: name }]);
  out.userControl({ kind: 'streamBegin', streamId });
  out.status(streamId, 'status', code, `${name} is now published.`, { details: name });
}

/** `onFCUnpublish` for clients that called FCUnpublish, and NetStream.Unpublish.Success. */
export function replyUnpublished(
  out: SessionOutput,
  streamId: number,
  name: string,
  fcUnpublish: boolean,
): void {
  const code = 'NetStream.Unpublish.Success';
  if (fcUnpublish) out.command(0, 'onFCUnpublish', 0, [null, { level: 'status', code, description: name }]);
  out.status(streamId, 'status', code, `${name} is now unpublished.`, { details: name });
}

/** StreamBegin or StreamEOF with NetStream.Play.PublishNotify or .UnpublishNotify: the publisher has come back or gone. */
export function replyNotify(out: SessionOutput, streamId: number, name: string, published: boolean): void {
  const [code, what] = published
    ? ['NetStream.Play.PublishNotify', 'published']
    : ['NetStream.Play.UnpublishNotify', 'unpublished'];
  out.userControl({ kind: published ? 'streamBegin' : 'streamEof', streamId });
  out.status(streamId, 'status', code!, `${name} is now ${what}.`, { details: name });
}

/** StreamBegin, Play.Reset if asked for, Play.Start, |RtmpSampleAccess and Data.Start (§7.2.2.1). */
export function replyPlaying(out: SessionOutput, request: PlayRequest, fcSubscribe: boolean): void {
  const { streamId, name } = request;
  if (fcSubscribe) {
    const info = { level: 'status', code: 'NetStream.Play.Start', description: name };
    out.command(0, 'onFCSubscribe', 0, [null, info]);
  }
  out.userControl({ kind: 'streamBegin', streamId });
  if (request.reset) {
    out.status(streamId, 'status', 'NetStream.Play.Reset', `Playing and resetting ${name}.`, {
      details: name,
    });
  }
  out.status(streamId, 'status', 'NetStream.Play.Start', `Started playing ${name}.`, { details: name });
  out.data(streamId, 0, '|RtmpSampleAccess', [true, true]);
  out.data(streamId, 0, 'onStatus', [{ code: 'NetStream.Data.Start' }]);
}
