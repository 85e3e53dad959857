import { signal } from '@preact/signals';

/** Where the picture comes from. */
export type PictureSource = 'camera' | 'screen' | 'none';

/** What somebody chose to record. */
export interface DeviceChoice {
  readonly source: PictureSource;
  /** Device id; `user` and `environment` ask for the front and the back camera of a phone. */
  readonly camera: string;
  /** Device id; empty for the browser's own choice, `none` for no sound. */
  readonly microphone: string;
}

/** Cameras and microphones that the browser tells of; their names only once it may use one. */
export const devices = signal<readonly MediaDeviceInfo[]>([]);

/** True if the browser gives devices to this page at all: TLS, or this machine. */
export function devicesAllowed(): boolean {
  return (
    typeof navigator !== 'undefined' && (navigator.mediaDevices as MediaDevices | undefined) !== undefined
  );
}

/** Asks the browser what there is, and again whenever something is plugged in. Returns what ends that. */
export function watchDevices(): () => void {
  if (!devicesAllowed()) return () => undefined;
  const look = async (): Promise<void> => {
    devices.value = await navigator.mediaDevices.enumerateDevices().catch(() => []);
  };
  void look();
  navigator.mediaDevices.addEventListener('devicechange', look);
  return () => navigator.mediaDevices.removeEventListener('devicechange', look);
}

/** Gets picture and sound; rejects with the browser's reason. */
export async function openDevices({ source, camera, microphone }: DeviceChoice): Promise<MediaStream> {
  const audio: MediaTrackConstraints | false =
    microphone === 'none' ? false : microphone === '' ? {} : { deviceId: { exact: microphone } };
  const size = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
  if (source === 'screen') {
    const screen = await navigator.mediaDevices.getDisplayMedia({
      video: { frameRate: { ideal: 30 } },
      audio: true,
    });
    if (screen.getAudioTracks().length > 0 || audio === false) return screen;
    const sound = await navigator.mediaDevices.getUserMedia({ audio }).catch(() => undefined);
    for (const track of sound?.getAudioTracks() ?? []) screen.addTrack(track);
    return screen;
  }
  const facing = camera === 'user' || camera === 'environment';
  const video: MediaTrackConstraints | false =
    source === 'none'
      ? false
      : {
          ...size,
          ...(facing ? { facingMode: camera } : camera === '' ? {} : { deviceId: { exact: camera } }),
        };
  const stream = await navigator.mediaDevices.getUserMedia({ video, audio });
  devices.value = await navigator.mediaDevices.enumerateDevices().catch(() => devices.value);
  return stream;
}
