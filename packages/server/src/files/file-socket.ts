import {
  decodeFileClientText,
  FILE_SUBPROTOCOL,
  type FileClientText,
  type FileServerText,
} from '@onair/contracts/file-socket';
import { FMP4_HEADER_LENGTH, FMP4_TYPE, writeFmp4Header } from '@onair/contracts/fmp4-socket';
import { ParseError } from '@onair/media';
import { type MediaChunk, MediaFileError, openSeekable, type SeekableFile } from '@onair/media/file';
import { initSegment } from '@onair/media/isobmff';
import { frameHeaderLength, ViewerSocket, writeBinaryFrameHeader } from '../egress/websocket/index.ts';
import { initMessages } from '../egress/ws-fmp4/index.ts';
import type { UpgradeRequest } from '../net/index.ts';
import { FileSender } from './file-sender.ts';
import { handleSource } from './file-source.ts';
import type { OpenFile } from './shelf.ts';

/** A viewer of a file. */
export interface FileViewing {
  close(reason: string): void;
}

/** Epoch of a file: its parameters never change. */
const EPOCH = 1;
/** Close codes of RFC 6455 §7.4.1. */
const CLOSE = { normal: 1000, unacceptable: 1003, internal: 1011 } as const;

/** Messages that may come before the file is known. */
const MAX_EARLY = 16;

/**
 * Sends an open file over a WebSocket, see `docs/protocols/ws-file.md`. The file is closed with the socket.
 * Undefined if there is no socket any longer; the file is closed then, too.
 * @param onEnd called once, later, when there is nothing more to send.
 */
export function serveFileSocket(
  { request, socket, head }: UpgradeRequest,
  name: string,
  file: OpenFile,
  onEnd: (error: unknown) => void,
): FileViewing | undefined {
  let sender: FileSender | undefined;
  const early: FileClientText[] = [];
  let viewer: ViewerSocket | undefined;
  let over = false;
  const options = {
    subprotocol: FILE_SUBPROTOCOL,
    onClose: () => {
      over = true;
      sender?.close();
    },
    onText: (text: string) => {
      const message = decodeFileClientText(text);
      if (sender !== undefined) obey(sender, message);
      else if (early.push(message) > MAX_EARLY)
        throw new RangeError('too many messages before the first answer');
    },
  };
  ViewerSocket.accept(request, socket, head, options, (opened) => {
    viewer = opened;
    const say = (message: FileServerText): void => opened.sendText(message);
    const work = async (): Promise<void> => {
      const media = await openSeekable(handleSource(file.handle, file.size));
      const { format, duration, tracks } = media;
      const { size } = file;
      say({ type: 'hello', protocol: FILE_SUBPROTOCOL, name, container: format, size, duration });
      const inits = new Map(tracks.map((track) => [track.id, initSegment(track)]));
      opened.raw.write(initMessages(EPOCH, tracks, inits));
      sender = senderTo(opened, media);
      for (const message of early) obey(sender, message);
      if (over) sender.close();
      await sender.run();
    };
    void work()
      .then(
        () => onEnd(undefined),
        (error: unknown) => {
          const ours = error instanceof ParseError || error instanceof MediaFileError;
          if (!over) {
            const detail = ours ? error.message : 'the file cannot be read';
            say({ type: 'error', code: ours ? 'UPLOAD_MEDIA' : 'INTERNAL', detail });
            opened.close(ours ? CLOSE.unacceptable : CLOSE.internal, detail);
          }
          onEnd(ours ? undefined : error);
        },
      )
      .finally(() => file.handle.close());
  });
  const reached = viewer as ViewerSocket | undefined;
  if (reached === undefined) {
    void file.handle.close();
    return undefined;
  }
  return { close: (reason) => reached.close(CLOSE.normal, reason) };
}

function obey(sender: FileSender, message: FileClientText): void {
  if (message.type === 'seek') sender.seek(message.id, message.to);
  else sender.want(message.until);
}

function senderTo(viewer: ViewerSocket, media: SeekableFile): FileSender {
  let sequence = 0;
  const { raw } = viewer;
  return new FileSender(media, {
    chunk: async (chunk) => {
      if (raw.write(framedChunk(chunk, sequence++))) return;
      await new Promise<void>((resolve) => {
        const done = (): void => {
          raw.off('drain', done);
          raw.off('close', done);
          resolve();
        };
        raw.on('drain', done);
        raw.on('close', done);
        if (raw.destroyed) done();
      });
    },
    seeked: (id, start) => viewer.sendText({ type: 'seeked', id, start }),
    read: (bytes) => viewer.sendText({ type: 'read', bytes }),
    ended: () => viewer.sendText({ type: 'end' }),
  });
}

/** A chunk as one unmasked frame of the fMP4 socket. */
function framedChunk(chunk: MediaChunk, sequence: number): Uint8Array {
  const { track, bytes, decoded, shown, duration, independent } = chunk;
  const payload = FMP4_HEADER_LENGTH + bytes.length;
  const out = new Uint8Array(frameHeaderLength(payload) + payload);
  const at = writeBinaryFrameHeader(out, 0, payload);
  writeFmp4Header(out, at, {
    type: FMP4_TYPE.chunk,
    independent,
    discontinuity: false,
    track: track.id,
    epoch: EPOCH,
    sequence,
    time: Math.round(decoded * 1e6),
    duration: Math.round(duration * 1e6),
    compositionOffset: Math.round((shown - decoded) * 1e6),
    wallClock: 0,
  });
  out.set(bytes, at + FMP4_HEADER_LENGTH);
  return out;
}
