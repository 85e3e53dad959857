import { ticks } from '@onair/media';
/** H.264 parameters as a test needs them. */
export function videoParameters(width = 640, height = 360) {
  return {
    kind: 'video',
    codec: 'h264',
    codecString: 'avc1.42c01e',
    description: Uint8Array.of(1, 0x42, 0xc0, 0x1e, 0xff, 0xe0, 0, width & 0xff),
    width,
    height,
  };
}
/** AAC-LC parameters as a test needs them. */
export function audioParameters(sampleRate = 48_000) {
  return {
    kind: 'audio',
    codec: 'aac',
    codecString: 'mp4a.40.2',
    description: Uint8Array.of(0x11, sampleRate === 48_000 ? 0x90 : 0x10),
    sampleRate,
    channels: 2,
    frameSize: 1024,
  };
}
/** A video track with id 1. */
export function videoTrack(parameters = videoParameters()) {
  return { id: 1, timebase: 90_000, parameters };
}
/** An audio track with id 2. */
export function audioTrack(parameters = audioParameters()) {
  return { id: 2, timebase: parameters.sampleRate, parameters };
}
/** An H.264 access unit of one NAL unit with a 4-byte length; the payload is `fill`. */
export function accessUnit(keyframe, size, fill) {
  const data = new Uint8Array(size).fill(fill);
  new DataView(data.buffer).setUint32(0, size - 4);
  data[4] = keyframe ? 0x65 : 0x41;
  return data;
}
function coded(track, keyframe, size, fill) {
  return track.parameters.kind === 'video'
    ? accessUnit(keyframe, size, fill)
    : new Uint8Array(size).fill(fill);
}
/** A sample of `size` bytes at `ms` milliseconds of source time. */
export function sampleAt(track, ms, keyframe = true, size = 100) {
  const dts = ticks(Math.round((ms * track.timebase) / 1000));
  return {
    track,
    dts,
    pts: dts,
    duration: undefined,
    keyframe,
    data: coded(track, keyframe, size, ms & 0xff),
  };
}
/** `seconds` of 25 fps video with a keyframe each `gop` frames and 48 kHz audio, in decoding order. */
export function programme(video, audio, seconds, gop = 25, from = 0) {
  const samples = [];
  for (let i = 0; i < seconds * 25; i++) {
    samples.push({ at: i * 40, sample: sampleAt(video, from + i * 40, i % gop === 0) });
  }
  if (audio !== undefined) {
    for (let i = 0; i < (seconds * 48_000) / 1024; i++) {
      const at = (i * 1024) / 48;
      samples.push({ at, sample: sampleAt(audio, from + at) });
    }
  }
  return samples.sort((a, b) => a.at - b.at).map(({ sample }) => sample);
}
//# sourceMappingURL=samples.js.map
