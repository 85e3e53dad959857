import Hls, { type ErrorData } from 'hls.js';

/** Media errors that are repaired before playing is given up. */
const MAX_REPAIRS = 3;

/**
 * Plays the playlist of a recording, live or complete, from its beginning: by hls.js where the browser has Media
 * Source Extensions, else by the browser itself. The returned function stops it.
 * @param onFailure told once why it cannot go on.
 */
export function playRecording(
  media: HTMLVideoElement,
  address: string,
  onFailure: (why: string) => void,
): () => void {
  if (!Hls.isSupported()) {
    const failed = (): void => onFailure(media.error?.message ?? 'HLS');
    media.addEventListener('error', failed, { once: true });
    media.src = address;
    return () => {
      media.removeEventListener('error', failed);
      media.removeAttribute('src');
      media.load();
    };
  }
  const hls = new Hls({ startPosition: 0, enableWorker: false });
  let repairs = 0;
  let stopped = false;
  hls.on(Hls.Events.ERROR, (_, data: ErrorData) => {
    if (!data.fatal) return;
    if (data.type === Hls.ErrorTypes.MEDIA_ERROR && repairs++ < MAX_REPAIRS) hls.recoverMediaError();
    else {
      hls.destroy();
      const why = data.response?.code === undefined ? data.details : `${data.details} ${data.response.code}`;
      void webmOf(address).then((webm) => {
        if (stopped) return;
        if (webm === undefined) onFailure(why);
        else {
          media.src = webm;
          void media.play().catch(() => undefined); // the browser wants a click first: the controls are there
        }
      });
    }
  });
  hls.loadSource(address);
  hls.attachMedia(media);
  return () => {
    stopped = true;
    hls.destroy();
    media.removeAttribute('src');
    media.load();
  };
}

/** Pictures that browsers do not take in MP4, those of Firefox, are kept as WebM too. Undefined if there is none. */
async function webmOf(playlist: string): Promise<string | undefined> {
  const address = playlist.replace(/\/playlist\.m3u8(?=$|\?)/, '/playlist.webm');
  if (address === playlist) return undefined;
  const found = await fetch(address, { method: 'HEAD' }).catch(() => undefined);
  return found?.ok === true ? address : undefined;
}
