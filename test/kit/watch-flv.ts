import { get } from 'node:http';
import { FlvReader, parseAudioBody, parseVideoBody, type Tag } from '@onair/media/flv';
import { WebSocket } from 'ws';
import type { Scope } from './scope.ts';
import { WireClock, Witness } from './witness.ts';

/** Tells the witness what a tag or an RTMP media message carries. */
export function seeTag(witness: Witness, clock: WireClock, tag: Tag): void {
  const ms = clock.at(tag.timestampMs);
  if (tag.type === 'script') witness.notes.push('script');
  else if (tag.type === 'video') {
    // FLV v10.1 §E.4.3.1: frame type 1 is a keyframe.
    const key = ((tag.body[0]! >> 4) & 7) === 1;
    for (const message of parseVideoBody(tag.body)) {
      if (message.kind === 'config') witness.setUp('video', message.data);
      else if (message.kind === 'frame')
        witness.see({ video: true, ms, ptsMs: ms + message.compositionMs, key });
    }
  } else {
    for (const message of parseAudioBody(tag.body)) {
      if (message.kind === 'config') witness.setUp('audio', message.data);
      else if (message.kind === 'frame') {
        // MP3 needs no set-up.
        if (message.codec === 'mp3' && witness.audio.length === 0) witness.setUp('audio', new Uint8Array());
        witness.see({ video: false, ms, ptsMs: ms, key: true });
      }
    }
  }
}

/** Watches `http://…flv` or `ws://…flv` until the scope closes or the server ends it. */
export function watchFlv(scope: Scope, url: string): Witness {
  return url.startsWith('ws') ? watchSocket(scope, url) : watchHttp(scope, url);
}

function taker(witness: Witness): { readonly reader: FlvReader; take(bytes: Uint8Array): void } {
  const reader = new FlvReader();
  const clock = new WireClock();
  const take = (bytes: Uint8Array): void => {
    reader.push(bytes);
    try {
      for (let item = reader.next(); item !== undefined; item = reader.next()) {
        if (item.kind === 'header') witness.notes.push('header');
        else seeTag(witness, clock, item.tag);
      }
    } catch (error) {
      witness.fault(String(error));
    }
  };
  return { reader, take };
}

function watchHttp(scope: Scope, url: string): Witness {
  const witness = new Witness('http-flv');
  const { take } = taker(witness);
  const request = get(url, { agent: false }, (response) => {
    witness.notes.push(`http ${response.statusCode}`);
    response.on('data', take);
    response.on('end', () => {
      witness.ended ??= 'end';
    });
    response.on('error', (error) => {
      witness.ended ??= error.message;
    });
  });
  request.on('error', (error) => {
    witness.ended ??= error.message;
  });
  scope.defer(() => request.destroy());
  return witness;
}

function watchSocket(scope: Scope, url: string): Witness {
  const witness = new Witness('ws-flv');
  const { reader, take } = taker(witness);
  const socket = new WebSocket(url, { perMessageDeflate: false });
  socket.on('message', (data: Buffer, binary: boolean) => {
    if (!binary) witness.fault('a text message');
    take(data);
    // At most the size of the tag before, which belongs to the next read.
    if (reader.buffered > 4) witness.fault('a message that ends within a tag');
  });
  socket.on('close', (code, reason) => {
    witness.ended ??= `${code} ${reason}`.trim();
  });
  socket.on('error', (error) => {
    witness.ended ??= error.message;
  });
  scope.defer(() => socket.terminate());
  return witness;
}
