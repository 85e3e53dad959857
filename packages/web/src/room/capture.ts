import type { WordKey } from '../words/words.ts';

/** Where the picture comes from. */
export type CaptureSource = 'camera' | 'screen';

/** Asks for the camera with 720 lines and the microphone, or for a screen with its sound. */
export async function capture(source: CaptureSource): Promise<MediaStream> {
  // Browsers hide the devices from pages that came without encryption.
  if (navigator.mediaDevices === undefined) throw new DOMException('no devices', 'SecurityError');
  const size = { width: { ideal: 1280 }, height: { ideal: 720 } };
  return source === 'camera'
    ? navigator.mediaDevices.getUserMedia({ audio: true, video: size })
    : navigator.mediaDevices.getDisplayMedia({ audio: true, video: true });
}

/** What to tell somebody whose camera or screen could not be had (Media Capture §10, DOMException names). */
export function captureFault(error: unknown): WordKey {
  const name = error instanceof DOMException ? error.name : '';
  switch (name) {
    case 'NotAllowedError':
      return 'room.fault.denied';
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'room.fault.none';
    case 'NotReadableError':
    case 'AbortError':
      return 'room.fault.busy';
    case 'SecurityError':
    case 'TypeError':
      return 'room.fault.insecure';
    default:
      return 'room.fault.other';
  }
}

/** A screen without sound keeps the microphone that is open already. */
export function withSound(next: MediaStream, old: MediaStream | undefined): MediaStream {
  const microphone = old?.getAudioTracks().find((track) => track.readyState === 'live');
  if (next.getAudioTracks().length > 0 || microphone === undefined) return next;
  return new MediaStream([...next.getVideoTracks(), microphone]);
}
