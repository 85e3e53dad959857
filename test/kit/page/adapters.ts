import type { Choice, Output, PagePlayer } from './outputs.ts';

/** What an adapter is given. */
export interface Wanted extends Choice {
  readonly url: string;
  /** `ORIGIN/APP/NAME`, which is all that our own player needs. */
  readonly stream: string;
  /** Where the player is to be. */
  readonly place: HTMLElement;
  /** Told of what ends play, in the player's own words. */
  readonly fault: (what: string) => void;
}

type Adapter = (wanted: Wanted) => Promise<HTMLVideoElement>;

/** The parts of the players' interfaces that are used here. */
interface Globals {
  readonly Hls: new (
    options: object,
  ) => {
    /** Looked at again and again while it plays. */
    readonly config: { maxLiveSyncPlaybackRate: number };
    /** Behind the live edge, s. */
    readonly latency: number;
    readonly targetLatency: number | null;
    on(event: 'hlsError', listener: (event: string, data: { fatal: boolean; details: string }) => void): void;
    on(event: 'hlsBufferCodecs', listener: (event: string, tracks: HlsTracks) => void): void;
    loadSource(url: string): void;
    attachMedia(video: HTMLVideoElement): void;
  };
  readonly shaka: {
    readonly polyfill: { installAll(): void };
    readonly Player: new () => {
      attach(video: HTMLVideoElement): Promise<void>;
      configure(settings: object): boolean;
      addEventListener(type: string, listener: (event: { detail: ShakaError }) => void): void;
      load(url: string): Promise<void>;
    };
  };
  readonly dashjs: {
    MediaPlayer(): {
      create(): {
        updateSettings(settings: object): void;
        initialize(video: HTMLVideoElement, url: string, autoplay: boolean): void;
        /** Behind the live edge, and how far it is to be, s; not a number before the first picture. */
        getCurrentLiveLatency(): number;
        getTargetLiveDelay(): number;
        on(event: string, listener: (event: { error: { code: number; message: string } }) => void): void;
      };
    };
  };
  readonly videojs: (
    video: HTMLVideoElement,
    options: object,
  ) => {
    src(source: object): void;
    on(event: string, listener: () => void): void;
    error(): { code: number; message: string } | null;
    ready(listener: () => void): void;
    tech(safety: boolean): { el(): HTMLVideoElement };
  };
  readonly mpegts: {
    createPlayer(
      source: object,
      settings: object,
    ): {
      on(event: 'error', listener: (...what: unknown[]) => void): void;
      attachMediaElement(video: HTMLVideoElement): void;
      load(): void;
      play(): Promise<void>;
    };
  };
}

/** What hls.js is about to append, by kind of track. */
type HlsTracks = Readonly<Record<string, { readonly initSegment?: Uint8Array }>>;

interface ShakaError {
  readonly severity: number;
  readonly category: number;
  readonly code: number;
  readonly data: readonly unknown[];
}

const page = window as unknown as Globals;
/** Shaka's severity of errors that end play. */
const CRITICAL = 2;
/** Distance to the live edge that plain outputs are played at, s: two segments of 2 s. */
const PLAIN_SECONDS = 4;
/** The same behind the last whole segment: the next one takes 2 s, and up to a second until it is looked for. */
const WHOLE_SECONDS = 3.5;
/** hls.js: a start later than this behind {@link WHOLE_SECONDS} is made up for: with up to 2 s that the end of the segment is old, 6 s are near. */
const LATE_WHOLE_SECONDS = 0.15;
/** {@link WHOLE_SECONDS} for shaka with DASH, which begins later than asked for. */
const WHOLE_SECONDS_DASH = 3.3;
/** The same with low latency: three parts of a third of a second and some room. */
const LOW_SECONDS = 1.2;
/** From so much on behind {@link LOW_SECONDS} hls.js plays faster … */
const LATE_SECONDS = 0.4;
/** … until it is so close to it; it keeps a second in its buffer in any case. */
const IN_TIME_SECONDS = 0.2;
/** A late start that cannot be made up for until so much has been played is left, s. */
const GIVE_UP_SECONDS = 5;
/** The same as shaka counts it, which is about a second less than from the making of a picture to its being shown, s. */
const LOW_LATENCY = 0.5;
/** By so much it may be off before it plays faster or slower, s. */
const LOW_TOLERANCE = 0.15;
/** The same for DASH, behind the live edge, which lies so far behind the newest media, s. */
const LOW_LATENCY_DASH = 0.3;
const LOW_DELAY = 1.5;

/**
 * For parts. Shaka 5.2 otherwise sets the offset of its buffers anew for each rounding error of a millisecond, and with each it
 * throws away what is not a keyframe: most of a segment. And it looks for captions in the growing segment of a young stream.
 */
const PARTS = { sequenceMode: true, disableClosedCaptionsDetection: true };

/** WebKit empties its pipeline for every new playback rate, and needs to be told of it again and again. */
const WEBKIT = navigator.userAgent.includes('AppleWebKit') && !navigator.userAgent.includes('Chrom');

/** Loads a script of the page's server, once. */
function script(name: string): Promise<void> {
  const known = document.querySelector(`script[src="/${name}"]`);
  if (known !== null) return (known as HTMLScriptElement & { done: Promise<void> }).done;
  const element = document.createElement('script');
  const done = new Promise<void>((resolve, reject) => {
    element.onload = () => resolve();
    element.onerror = () => reject(new Error(`no ${name}`));
  });
  element.src = `/${name}`;
  document.head.append(Object.assign(element, { done }));
  return done;
}

function element(place: HTMLElement): HTMLVideoElement {
  const video = document.createElement('video');
  video.width = 160;
  video.height = 90;
  video.autoplay = true;
  video.playsInline = true;
  video.crossOrigin = 'anonymous';
  place.append(video);
  return video;
}

/** The seconds from `position` on that are there. */
function ahead({ buffered }: HTMLVideoElement, position: number): number {
  for (let i = 0; i < buffered.length; i++) {
    if (buffered.start(i) <= position && buffered.end(i) > position) return buffered.end(i) - position;
  }
  return 0;
}

/**
 * What loading and decoding took at the start is made up for in one step, once what is to be played from there on is there.
 * @param lateness seconds behind where the player is to be
 * @param allowed seconds of that which are left alone
 * @param then called again and again afterwards
 */
function startInTime(
  video: HTMLVideoElement,
  lateness: () => number,
  allowed: number,
  then?: () => void,
): void {
  let settled = false;
  let begun = Number.POSITIVE_INFINITY;
  const begin = (): void => {
    begun = video.currentTime;
  };
  video.addEventListener('playing', begin, { once: true });
  setInterval(() => {
    if (settled) return then?.();
    const late = lateness();
    const target = video.currentTime + late;
    const there = ahead(video, target) > 0.5;
    if (video.currentTime < begun + (there ? 0.25 : GIVE_UP_SECONDS)) return;
    settled = true;
    if (there && late > allowed) video.currentTime = target;
  }, 500);
}

/** `mvhd` and `mdhd`. */
const WITH_DURATION: ReadonlySet<number> = new Set([0x6d766864, 0x6d646864]);

/**
 * Takes the duration out of the init segments that hls.js makes of MPEG-TS: it is the length of the playlist. Behind a second one
 * that tells any, GStreamer 1.22 in WebKitGTK drops all media: it stays with the end of those in front.
 */
function tellNoDuration(tracks: HlsTracks): void {
  for (const { initSegment } of Object.values(tracks)) {
    if (initSegment === undefined) continue;
    const { buffer, byteOffset, byteLength } = initSegment;
    const view = new DataView(buffer, byteOffset, byteLength);
    // In version 1, which it writes, behind flags, two times and the timescale (ISO/IEC 14496-12 §8.2.2, §8.4.2).
    for (let at = 0; at + 36 <= byteLength; at++) {
      if (WITH_DURATION.has(view.getUint32(at)) && view.getUint8(at + 4) === 1)
        view.setBigUint64(at + 28, 0n);
    }
  }
}

const TRANSPORTS: Readonly<Partial<Record<Output, string>>> = {
  ws: 'ws',
  flv: 'flv',
  llhls: 'llhls',
  hls: 'hls',
};

/** One adapter per player: makes it play, as its own documentation shows. */
export const ADAPTERS: Readonly<Record<PagePlayer, Adapter>> = {
  onair: async ({ output, stream, place, fault }) => {
    const own = document.createElement('onair-player');
    own.setAttribute('src', stream);
    own.setAttribute('transport', TRANSPORTS[output] ?? 'auto');
    own.setAttribute('autoplay', '');
    own.addEventListener('onair-error', (event) => fault(JSON.stringify((event as CustomEvent).detail)));
    own.style.cssText = 'display:inline-block;width:160px;height:90px';
    place.append(own);
    if (own.video === undefined) throw new Error('the element has no video');
    return own.video;
  },

  'hls.js': async ({ output, url, place, fault }) => {
    await script('hls.min.js');
    const video = element(place);
    const low = output === 'llhls';
    // It counts from the newest part, and where there are none, from the end of a segment that is up to one old.
    const sync = low ? LOW_SECONDS : output === 'ts' ? WHOLE_SECONDS : PLAIN_SECONDS;
    const hls = new page.Hls({
      lowLatencyMode: low,
      liveSyncDuration: sync,
      liveMaxLatencyDuration: sync + 2,
      maxLiveSyncPlaybackRate: 1,
    });
    const lateness = (): number => hls.latency - (hls.targetLatency ?? Number.POSITIVE_INFINITY);
    // Left alone, it plays faster and at 1 in turn, several times a second, and browsers drop pictures at such changes.
    const hurry = (): void => {
      const late = lateness();
      if (late > LATE_SECONDS) hls.config.maxLiveSyncPlaybackRate = 1.1;
      else if (late < IN_TIME_SECONDS && hls.config.maxLiveSyncPlaybackRate > 1) {
        hls.config.maxLiveSyncPlaybackRate = 1;
        video.playbackRate = 1;
      }
    };
    if (low) startInTime(video, lateness, LATE_SECONDS, WEBKIT ? undefined : hurry);
    else if (output === 'ts') startInTime(video, lateness, LATE_WHOLE_SECONDS);
    if (WEBKIT && output === 'ts') hls.on('hlsBufferCodecs', (_, tracks) => tellNoDuration(tracks));
    hls.on('hlsError', (_, { fatal, details }) => {
      if (fatal) fault(details);
    });
    hls.loadSource(url);
    hls.attachMedia(video);
    return video;
  },

  shaka: async ({ output, url, place, fault }) => {
    await script('shaka-player.compiled.js');
    const video = element(place);
    page.shaka.polyfill.installAll();
    const player = new page.shaka.Player();
    await player.attach(video);
    const told = ({ severity, category, code, data }: ShakaError): void => {
      if (severity === CRITICAL) fault(`${category}.${code} ${JSON.stringify(data).slice(0, 200)}`);
    };
    // Right behind this event it makes less of what it overcomes by itself: in live streams an answer that is an error.
    player.addEventListener('error', ({ detail }) => queueMicrotask(() => told(detail)));
    const low = output === 'llhls' || output === 'lldash';
    player.configure({
      // It counts from the end of the last whole segment, which is up to one segment old.
      manifest:
        output === 'llhls'
          ? { hls: PARTS }
          : {
              defaultPresentationDelay: low
                ? LOW_DELAY
                : output === 'dash'
                  ? WHOLE_SECONDS_DASH
                  : PLAIN_SECONDS - 1,
              dash: { ignoreSuggestedPresentationDelay: true, ...(low ? { autoCorrectDrift: false } : {}) },
            },
      // Without a target it would go for half a second, which is less than what HLS parts allow.
      streaming: {
        lowLatencyMode: low,
        liveSync: {
          enabled: low,
          targetLatency: output === 'lldash' ? LOW_LATENCY_DASH : LOW_LATENCY,
          targetLatencyTolerance: LOW_TOLERANCE,
        },
      },
    });
    player.load(url).catch((error: ShakaError | Error) => {
      if (error instanceof Error) fault(`${error} ${error.stack}`);
      else told({ ...error, severity: CRITICAL });
    });
    return video;
  },

  'dash.js': async ({ output, url, place, fault }) => {
    await script('dash.all.min.js');
    const video = element(place);
    const player = page.dashjs.MediaPlayer().create();
    player.updateSettings({
      streaming:
        output === 'lldash'
          ? { liveCatchup: { enabled: true, ...(WEBKIT ? { maxDrift: 0 } : {}) } }
          : { delay: { liveDelay: PLAIN_SECONDS, applyServiceDescription: false } },
    });
    player.on('error', ({ error }) => fault(`${error.code} ${error.message}`));
    // One that WebKit tells late, between a seek and `seeking`, makes dash.js take its own step over a gap for a user's: it empties
    // all buffers, and may fill none again.
    video.addEventListener('playing', (event) => {
      if (video.seeking) event.stopImmediatePropagation();
    });
    player.initialize(video, url, true);
    if (output === 'lldash') {
      startInTime(video, () => player.getCurrentLiveLatency() - player.getTargetLiveDelay(), LATE_SECONDS);
    }
    return video;
  },

  'video.js': async ({ output, url, place, fault }) => {
    await script('video.min.js');
    const video = element(place);
    const type = output === 'dash' || output === 'lldash' ? 'application/dash+xml' : 'application/x-mpegURL';
    const player = page.videojs(video, {
      autoplay: true,
      width: 160,
      height: 90,
      html5: { vhs: { overrideNative: true, llhls: output === 'llhls' } },
    });
    await new Promise<void>((resolve) => player.ready(resolve));
    player.on('error', () => fault(`${player.error()?.code} ${player.error()?.message}`));
    player.src({ src: url, type });
    return player.tech(true).el();
  },

  native: async ({ url, place }) => {
    const video = element(place);
    video.src = url;
    return video;
  },

  'mpegts.js': async ({ output, url, place, fault }) => {
    await script('mpegts.js');
    const video = element(place);
    const address = output === 'wsflv' ? url.replace(/^http/, 'ws') : url;
    const player = page.mpegts.createPlayer(
      { type: 'flv', isLive: true, url: address },
      { enableStashBuffer: false, liveSync: true },
    );
    player.on('error', (...what) => fault(JSON.stringify(what)));
    player.attachMediaElement(video);
    player.load();
    void player.play();
    return video;
  },
};
