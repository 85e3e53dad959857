import type { MediaSourcePlatform, MediaSourcePort } from './ports.ts';

/** `ManagedMediaSource` of WebKit: the browser decides when media is fetched and what is evicted. */
interface MediaSourceConstructor {
  new (): MediaSource;
  isTypeSupported(type: string): boolean;
}

/**
 * The media source class of this browser: `ManagedMediaSource` where there is one (the only one on iPhones),
 * else `MediaSource`, else undefined.
 */
export function mediaSourceClass():
  | { readonly make: MediaSourceConstructor; readonly managed: boolean }
  | undefined {
  const scope = globalThis as {
    ManagedMediaSource?: MediaSourceConstructor;
    MediaSource?: MediaSourceConstructor;
  };
  if (scope.ManagedMediaSource !== undefined) return { make: scope.ManagedMediaSource, managed: true };
  if (scope.MediaSource !== undefined) return { make: scope.MediaSource, managed: false };
  return undefined;
}

/** Media sources of this browser tied to `media`; undefined where it has none. */
export function browserPlatform(media: HTMLMediaElement): MediaSourcePlatform | undefined {
  const found = mediaSourceClass();
  if (found === undefined) return undefined;
  const { make: Make, managed } = found;
  return {
    // WebKit, which alone has managed sources, empties its pipeline for every new rate.
    steadyRate: managed,
    supports: (mime) => Make.isTypeSupported(mime),
    attach() {
      const source = new Make();
      const address = URL.createObjectURL(source);
      // A managed source opens only if the page rules out AirPlay or offers another source for it.
      if (managed) media.disableRemotePlayback = true;
      let attached = true;
      const revoke = (): void => URL.revokeObjectURL(address);
      source.addEventListener('sourceopen', revoke, { once: true });
      media.src = address;
      return {
        source: source as MediaSourcePort,
        detach: () => {
          if (!attached) return;
          attached = false;
          source.removeEventListener('sourceopen', revoke);
          revoke();
          if (media.src === address) {
            media.removeAttribute('src');
            media.load();
          }
        },
      };
    },
  };
}
