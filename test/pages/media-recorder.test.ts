import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium, openPage } from '../kit/chromium.ts';
import { probePackets } from '../kit/packets.ts';
import { Scope } from '../kit/scope.ts';
import { demux } from '../kit/webm-files.ts';

const scope = new Scope();
const folder = scope.tempDir('onair-recorder-');
let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium(scope);
});
afterAll(() => scope.close());

/** How long is recorded, and how often the recorder hands out what it has. */
const RECORD_MS = 2500;
const TIMESLICE_MS = 100;

/** Blobs that the browser's recorder makes of a moving canvas and a tone; none if it cannot write the type. */
async function record(mimeType: string): Promise<Uint8Array[]> {
  const { page, context, errors } = await openPage(browser);
  const blobs = await page.evaluate(
    async ({ type, timeslice, length }) => {
      if (!MediaRecorder.isTypeSupported(type)) return [];
      const canvas = document.body.appendChild(document.createElement('canvas'));
      canvas.width = 320;
      canvas.height = 180;
      const drawing = canvas.getContext('2d')!;
      let hue = 0;
      const timer = setInterval(() => {
        hue += 7;
        drawing.fillStyle = `hsl(${hue} 80% 50%)`;
        drawing.fillRect(hue % 320, 0, 80, 180);
      }, 40);
      const sound = new AudioContext();
      const tone = sound.createOscillator();
      const target = sound.createMediaStreamDestination();
      tone.connect(target);
      tone.start();
      const stream = new MediaStream([...canvas.captureStream(25).getTracks(), ...target.stream.getTracks()]);
      const recorder = new MediaRecorder(stream, { mimeType: type, videoBitsPerSecond: 400_000 });
      const parts: Blob[] = [];
      const ended = new Promise<void>((resolve, reject) => {
        recorder.onstop = () => resolve();
        recorder.onerror = () => reject(new Error('recording failed'));
      });
      recorder.ondataavailable = ({ data }) => {
        parts.push(data);
      };
      recorder.start(timeslice);
      setTimeout(() => recorder.stop(), length);
      await ended;
      clearInterval(timer);
      await sound.close();
      const texts: string[] = [];
      for (const part of parts) {
        const octets = new Uint8Array(await part.arrayBuffer());
        let text = '';
        for (const octet of octets) text += String.fromCharCode(octet);
        texts.push(btoa(text));
      }
      return texts;
    },
    { type: mimeType, timeslice: TIMESLICE_MS, length: RECORD_MS },
  );
  expect(errors).toEqual([]);
  await context.close();
  return blobs.map((text) => new Uint8Array(Buffer.from(text, 'base64')));
}

describe('recordings of the browser', () => {
  it.each([
    ['video/webm;codecs=vp8,opus', 'vp8'],
    ['video/webm;codecs=vp9,opus', 'vp9'],
    ['video/webm;codecs=av1,opus', 'av1'],
    ['video/webm;codecs=h264,opus', 'h264'],
    ['video/x-matroska;codecs=avc1,opus', 'h264'],
  ])('%s are read as ffprobe reads them', async (mimeType, codec) => {
    const blobs = await record(mimeType);
    if (blobs.length === 0) {
      console.log(`${mimeType} is not recorded by this browser`);
      return;
    }
    const path = join(folder, `${codec}.webm`);
    writeFileSync(path, Buffer.concat(blobs));
    const { packets } = probePackets(path);
    const { tracks, samples, inits, faults, demuxer } = demux(blobs);
    console.log(
      `${mimeType}: ${blobs.length} blobs, ${samples.length} samples, ${tracks.map(({ parameters }) => (parameters.kind === 'data' ? '' : parameters.codecString)).join(' + ')}`,
    );
    expect(faults).toEqual([]);
    expect(demuxer.dropped).toBe(0);
    expect(inits).toHaveLength(1);
    expect(inits[0]!.info.duration).toBeUndefined();
    expect(tracks.map(({ parameters }) => parameters.codec).sort()).toEqual([codec, 'opus'].sort());
    for (const track of tracks) {
      const kind = track.parameters.kind;
      const ours = samples.filter((sample) => sample.track.id === track.id);
      const number = inits[0]!.entries.findIndex(({ type }) => type === kind);
      const theirs = packets.filter(({ stream }) => stream === number);
      // Chromium leaves the temporal delimiter in front of each unit of AV1, which has no place in a sample.
      const delimiter = track.parameters.codec === 'av1' ? 2 : 0;
      expect(ours.map(({ data }) => data.length + delimiter)).toEqual(theirs.map(({ size }) => size));
      const furthest = Math.max(...ours.map(({ pts }, i) => Math.abs(pts / track.timebase - theirs[i]!.pts)));
      expect(furthest).toBeLessThan(kind === 'video' ? 0.000_02 : 0.061);
      if (kind === 'video') {
        expect(ours.map(({ keyframe }) => keyframe)).toEqual(theirs.map(({ keyframe }) => keyframe));
      }
    }
    const again = demux([Buffer.concat(blobs)]);
    expect(again.samples.map(({ dts }) => dts)).toEqual(samples.map(({ dts }) => dts));
    // A second recording appended to the first begins anew.
    const twice = demux([...blobs, ...blobs]);
    expect(twice.faults).toEqual([]);
    expect(twice.inits.map((init) => init.recording)).toEqual([0, 1]);
    expect(twice.samples).toHaveLength(2 * samples.length);
  });
});
