import type { Page } from 'playwright-core';

/** Keeps a page's connections, and sends them by another UDP port on this machine if there is one. */
export function keepConnections(page: Page, path?: number): Promise<unknown> {
  return page.addInitScript((port) => {
    const connections: RTCPeerConnection[] = [];
    Object.assign(window, { connections });
    window.RTCPeerConnection = class extends RTCPeerConnection {
      constructor(...options: ConstructorParameters<typeof RTCPeerConnection>) {
        super(...options);
        connections.push(this);
      }
      override setRemoteDescription(given: RTCSessionDescriptionInit): Promise<void> {
        const sdp = given.sdp?.replace(/(a=candidate:.* 127\.0\.0\.1 )\d+/g, `$1${port}`);
        const lines = sdp
          ?.split('\r\n')
          .filter((line) => !/^a=candidate/.test(line) || line.includes(` ${port} `));
        const turned = port === undefined ? given : { ...given, sdp: lines!.join('\r\n') };
        return super.setRemoteDescription(turned as RTCSessionDescriptionInit);
      }
    };
  }, path);
}

/** Milliseconds that the browser holds each kind of media back, over `ms` milliseconds. */
export function heldBack(page: Page, ms: number): Promise<Record<string, number>> {
  return page.evaluate(async (duration) => {
    const connection = (window as unknown as { connections: RTCPeerConnection[] }).connections.at(-1)!;
    const look = async (): Promise<Map<string, { delay: number; emitted: number }>> => {
      const found = new Map<string, { delay: number; emitted: number }>();
      (await connection.getStats()).forEach((one: Record<string, number | string>) => {
        if (one.type !== 'inbound-rtp') return;
        const { jitterBufferDelay, jitterBufferEmittedCount } = one;
        found.set(String(one.kind), {
          delay: Number(jitterBufferDelay),
          emitted: Number(jitterBufferEmittedCount),
        });
      });
      return found;
    };
    const before = await look();
    await new Promise((resolve) => setTimeout(resolve, duration));
    const figures: Record<string, number> = {};
    for (const [kind, { delay, emitted }] of await look()) {
      const from = before.get(kind);
      if (from !== undefined)
        figures[kind] = Math.round((1000 * (delay - from.delay)) / (emitted - from.emitted));
    }
    return figures;
  }, ms);
}

/**
 * Milliseconds by which sound is played later than the pictures that belong to it, as the browser reckons by sender
 * reports: the middle of what is seen during `ms` milliseconds.
 */
export function soundBehind(page: Page, ms: number): Promise<number> {
  return page.evaluate(async (duration) => {
    const connection = (window as unknown as { connections: RTCPeerConnection[] }).connections.at(-1)!;
    const offsets: number[] = [];
    const end = performance.now() + duration;
    while (performance.now() < end) {
      const times = new Map<string, number>();
      (await connection.getStats()).forEach((one: Record<string, number | string>) => {
        if (one.type === 'inbound-rtp') times.set(String(one.kind), Number(one.estimatedPlayoutTimestamp));
      });
      offsets.push(times.get('video')! - times.get('audio')!);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return Math.round(offsets.sort((a, b) => a - b)[offsets.length >> 1]!);
  }, ms);
}

/** Payload types of the picture in the answer that a page got, and of what is sent again of it. */
export function videoFormats(page: Page): Promise<{ readonly media: number; readonly rtx: number }> {
  return page.evaluate(() => {
    const { connections } = window as unknown as { connections: RTCPeerConnection[] };
    const [, rtx, media] = /^a=fmtp:(\d+) apt=(\d+)/m.exec(connections.at(-1)!.remoteDescription!.sdp) ?? [];
    return { media: Number(media), rtx: Number(rtx) };
  });
}

/** Counts of a viewer's browser. */
export interface PictureFigures {
  /** Packets that came again on a source of their own. */
  readonly repaired: number;
  readonly shown: number;
  readonly lost: number;
  /** Requests for packets, and for key frames. */
  readonly asked: number;
  readonly keys: number;
}

/** What a viewer's browser tells of its picture. */
export function receivedAgain(page: Page): Promise<PictureFigures> {
  return page.evaluate(async () => {
    const { connections } = window as unknown as { connections: RTCPeerConnection[] };
    const figures = { repaired: 0, shown: 0, lost: 0, asked: 0, keys: 0 };
    (await connections.at(-1)!.getStats()).forEach((one: Record<string, number | string>) => {
      if (one.type !== 'inbound-rtp' || one.kind !== 'video') return;
      figures.repaired = Number(one.retransmittedPacketsReceived ?? 0);
      figures.shown = Number(one.framesDecoded);
      figures.lost = Number(one.packetsLost);
      figures.asked = Number(one.nackCount);
      figures.keys = Number(one.pliCount);
    });
    return figures;
  });
}

/** The loudest sample of what a viewer hears within two seconds, 0 to 1. */
export function loudness(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const player = document.querySelector('onair-player') as unknown as { video: HTMLVideoElement };
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    context.createMediaStreamSource(player.video.srcObject as MediaStream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    let loudest = 0;
    for (let i = 0; i < 80; i++) {
      await new Promise((resolve) => setTimeout(resolve, 25));
      analyser.getFloatTimeDomainData(samples);
      for (const sample of samples) loudest = Math.max(loudest, Math.abs(sample));
    }
    await context.close();
    return loudest;
  });
}
