import { type AmfValue, encodeAmf0 } from '@onair/media/amf';
import { AsyncErrorEvent, NetStatusEvent, type StatusInfo } from './events.ts';
import { linkOf, type NetConnection, statusOf } from './net-connection.ts';
import type { NetLink, StreamEvent } from './net-link.ts';
import { PlaySide } from './play-side.ts';
import type { AttachOptions, PublishSide } from './publish-side.ts';
import { invoke } from './values.ts';

/**
 * A stream of a connection, with the names that ActionScript gave them. Played or published; `netStatus` tells the server's
 * codes, and `NetStream.Buffer.Full` and `.Empty` as the picture begins to move or waits. `client` is told of data messages:
 * `onMetaData`, `onCuePoint` and whatever a publisher sends.
 */
export class NetStream extends EventTarget {
  /** Whose methods data messages call. */
  client: object = this;
  readonly #link: NetLink;
  readonly #play: PlaySide;
  #publishing: Promise<PublishSide> | undefined;
  #id = 0;
  #early: ((id: number) => void)[] = [];
  #bufferTime = 0.1;
  #paused = false;
  #closed = false;

  /** @throws Error if the connection is not connected. */
  constructor(connection: NetConnection) {
    super();
    this.#link = linkOf(connection);
    this.#play = new PlaySide({
      moving: (moving) => this.#tell(`NetStream.Buffer.${moving ? 'Full' : 'Empty'}`),
      failed: (error) => this.#tell('NetStream.Play.Failed', 'error', error.message),
    });
    this.#link.createStream(
      (id) => {
        this.#id = id;
        for (const speak of this.#early.splice(0)) speak(id);
        if (this.#closed) this.#link.deleteStream(id);
      },
      (event) => this.#event(event),
    );
  }

  /** Seconds of the picture on the stream's time. */
  get time(): number {
    return this.#play.position;
  }

  /** Seconds of media ahead of the picture. */
  get bufferLength(): number {
    return this.#play.ahead;
  }

  /** Seconds of media to keep ahead, as told to the server; play itself stays near the live edge. */
  get bufferTime(): number {
    return this.#bufferTime;
  }

  set bufferTime(seconds: number) {
    this.#bufferTime = Math.max(0, seconds);
    this.#say((session, id) => session.setBufferLength(id, Math.round(this.#bufferTime * 1000)));
  }

  /** Bytes that wait to leave, for a publisher that encodes less when there are many. */
  get waiting(): number {
    return this.#link.waiting;
  }

  /** Shows the stream on a media element; null shows it no more. */
  attachVideo(video: HTMLVideoElement | null): void {
    this.#play.attach(video ?? undefined);
  }

  /**
   * Plays a stream.
   * @param start seconds into a recording; −2 for live or else recorded, −1 for live only.
   * @param length seconds, −1 for all.
   */
  play(name: string, start = -2, length = -1, reset: boolean | number = true): void {
    this.#play.reset();
    this.#paused = false;
    this.#command('play', name, start * 1000, length < 0 ? length : length * 1000, reset);
    this.bufferTime = this.#bufferTime;
  }

  /** Publishes under a name; media follows by `appendVideo` and `appendAudio`, or `attachMedia`. */
  publish(name: string, type: 'live' | 'record' | 'append' = 'live'): void {
    this.#publisher();
    this.#command('publish', name, type);
  }

  /** Puts a coded picture in: H.264 with `avc.format` `avc`, VP8, VP9 or AV1. @param metadata as the encoder gave it. */
  appendVideo(chunk: EncodedVideoChunk, metadata?: EncodedVideoChunkMetadata): void {
    void this.#publisher().then((side) => side.video(chunk, metadata));
  }

  /** Puts coded sound in: AAC without ADTS, or Opus. @param metadata as the encoder gave it. */
  appendAudio(chunk: EncodedAudioChunk, metadata?: EncodedAudioChunkMetadata): void {
    void this.#publisher().then((side) => side.audio(chunk, metadata));
  }

  /** Encodes what comes from a camera, a screen or a microphone, and publishes it; null ends that. */
  async attachMedia(media: MediaStream | null, options: AttachOptions = {}): Promise<void> {
    const side = await this.#publisher();
    await side.attach(media ?? undefined, options);
  }

  pause(): void {
    this.#pause(true);
  }

  resume(): void {
    this.#pause(false);
  }

  togglePause(): void {
    this.#pause(!this.#paused);
  }

  /** Goes to another place of a recording. @param seconds on the stream's time. */
  seek(seconds: number): void {
    this.#command('seek', Math.round(seconds * 1000));
  }

  receiveAudio(flag: boolean): void {
    this.#command('receiveAudio', flag);
  }

  receiveVideo(flag: boolean): void {
    this.#command('receiveVideo', flag);
  }

  /** Calls a method at every viewer of what is published; `@setDataFrame` keeps it for those who come later. */
  send(handlerName: string, ...args: AmfValue[]): void {
    const at = this.#publisher();
    void at.then((side) => this.#say((session, id) => session.sendData(side.nowMs, handlerName, args, id)));
  }

  /** Ends play or publishing; the stream can be used again. */
  close(): void {
    this.#command('closeStream');
    this.#play.reset();
    void this.#publishing?.then((side) => side.close());
    this.#publishing = undefined;
  }

  /** Ends it for good. */
  dispose(): void {
    if (this.#closed) return;
    this.close();
    this.#closed = true;
    this.#play.close();
    if (this.#id !== 0) this.#link.deleteStream(this.#id);
  }

  #pause(paused: boolean): void {
    if (paused === this.#paused) return;
    this.#paused = paused;
    this.#play.pause(paused);
    this.#command('pause', paused, Math.round(this.#play.received * 1000));
  }

  #publisher(): Promise<PublishSide> {
    // Only who publishes needs to write media.
    this.#publishing ??= import('./publish-side.ts').then(
      ({ PublishSide }) =>
        new PublishSide({
          media: (type, timestampMs, body) =>
            this.#say((session, id) => session.sendMedia(type, timestampMs, body, id)),
          waiting: () => this.#link.waiting,
          failed: (error) => this.#tell('NetStream.Publish.Failed', 'error', error.message),
        }),
    );
    return this.#publishing;
  }

  #command(name: string, ...args: AmfValue[]): void {
    this.#say((session, id) => session.commandOn(id, name, ...args));
  }

  #say(speak: (session: Parameters<Parameters<NetLink['run']>[0]>[0], id: number) => void): void {
    const later = (id: number): void => this.#link.run((session) => speak(session, id));
    if (this.#id === 0) this.#early.push(later);
    else later(this.#id);
  }

  #event(event: StreamEvent): void {
    switch (event.kind) {
      case 'media':
        this.#play.push(event);
        return;
      case 'status':
        if (event.code === 'NetStream.Seek.Notify') this.#play.reset();
        this.dispatchEvent(new NetStatusEvent(statusOf(event.info)));
        return;
      case 'eof':
        return; // a status tells the same
      case 'data':
        this.#data(event);
    }
  }

  #data({ name, values, timestampMs }: Extract<StreamEvent, { readonly kind: 'data' }>): void {
    if (name.startsWith('|')) return;
    if (name === 'onStatus') {
      this.dispatchEvent(new NetStatusEvent(statusOf(values[0])));
      return;
    }
    const tell = (): void => {
      try {
        invoke(this.client, this, name, values);
      } catch (error) {
        this.dispatchEvent(new AsyncErrorEvent(error));
      }
    };
    // What describes the stream is told at once, all else with its picture.
    if (name !== 'onMetaData') {
      this.#play.cues.at(timestampMs, tell);
      return;
    }
    this.#play.push({ type: 'script', timestampMs, body: encodeAmf0([name, ...values]) });
    tell();
  }

  #tell(code: string, level = 'status', description = ''): void {
    const info: StatusInfo = { code, level, description };
    this.dispatchEvent(new NetStatusEvent(info));
  }
}

/** Shows a stream, as ActionScript's `Video` does: `element` is what a page puts somewhere. */
export class Video {
  readonly element: HTMLVideoElement;

  /** @param width and height in CSS pixels; those of the picture unless given. */
  constructor(width?: number, height?: number) {
    this.element = document.createElement('video');
    this.element.playsInline = true;
    if (width !== undefined) this.element.width = width;
    if (height !== undefined) this.element.height = height;
  }

  /** Shows a stream; null shows none. */
  attachNetStream(stream: NetStream | null): void {
    this.#stream?.attachVideo(null);
    this.#stream = stream ?? undefined;
    stream?.attachVideo(this.element);
  }

  #stream: NetStream | undefined;
}
