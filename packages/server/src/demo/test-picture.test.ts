import { readBurntClock } from '@onair/contracts/burnt-clock';
import { describe, expect, it } from 'vitest';
import { VideoEncoder } from './encoder.ts';
import { disc, glyph, pill } from './glyphs.ts';
import type { Picture } from './picture.ts';
import { colour, Surface } from './surface.ts';
import { TestPicture } from './test-picture.ts';
import type { Plane } from './transform.ts';

const NOW = 1_795_000_001_033;

/** The visible luma as grey RGBA. */
function grey(picture: Picture, width: number, height: number): Uint8Array {
  const pixels = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      pixels.fill(
        picture.luma.samples[y * picture.luma.stride + x]!,
        (y * width + x) * 4,
        (y * width + x) * 4 + 3,
      );
    }
  }
  return pixels;
}

it.each([
  [640, 360],
  [320, 180],
  [854, 480],
  [1280, 720],
  [640, 480],
])('carries a readable clock at %ix%i, also after coding', (width, height) => {
  const drawn = new TestPicture(width, height);
  const encoder = new VideoEncoder(width, height, 22);
  for (let frame = 0; frame < 8; frame++) {
    const ms = NOW + Math.floor((frame * 1000) / 30);
    drawn.draw(ms, frame);
    expect(readBurntClock(grey(drawn.picture, width, height), width, height)).toEqual({ ms });
    if (frame === 0) encoder.encodeIdr(drawn.picture);
    else encoder.encodeP(drawn.picture, drawn.damage);
    expect(readBurntClock(grey(encoder.reconstruction, width, height), width, height)).toEqual({ ms });
  }
});

/** Samples that differ: in all, and where `damage` does not say so. */
function compare(
  before: Uint8Array,
  plane: Plane,
  unit: number,
  damage: Uint8Array,
): { readonly changed: number; readonly missed: number } {
  const columns = plane.stride / unit;
  let changed = 0;
  let missed = 0;
  for (let at = 0; at < before.length; at++) {
    if (before[at] === plane.samples[at]) continue;
    changed++;
    const row = Math.floor(at / plane.stride / unit);
    if (damage[row * columns + Math.floor((at % plane.stride) / unit)] === 0) missed++;
  }
  return { changed, missed };
}

it('reports as damage all that it changed, and moves in every frame', () => {
  const drawn = new TestPicture(640, 360);
  const { luma, cb, cr } = drawn.picture;
  drawn.draw(NOW, 0);
  for (let frame = 1; frame < 70; frame++) {
    const [y, u, v] = [luma, cb, cr].map((plane) => plane.samples.slice());
    drawn.draw(NOW + Math.floor((frame * 1000) / 30), frame);
    expect(compare(y!, luma, 16, drawn.damage).missed).toBe(0);
    expect(compare(u!, cb, 8, drawn.damage).missed).toBe(0);
    expect(compare(v!, cr, 8, drawn.damage).missed).toBe(0);
    const rail = { samples: luma.samples.subarray(272 * 640, 304 * 640), stride: 640 };
    const moved = compare(y!.subarray(272 * 640, 304 * 640), rail, 16, drawn.damage).changed;
    expect(moved, `frame ${frame}`).toBeGreaterThan(50);
  }
});

it('draws the same picture however it got there', () => {
  const one = new TestPicture(640, 360);
  const other = new TestPicture(640, 360);
  for (let frame = 60; frame < 70; frame++) one.draw(NOW + frame * 33, frame);
  other.draw(NOW + 69 * 33, 69);
  for (const plane of ['luma', 'cb', 'cr'] as const) {
    expect(Buffer.compare(one.picture[plane].samples, other.picture[plane].samples)).toBe(0);
  }
});

describe('drawing', () => {
  it('converts colours as BT.709 limited range does', () => {
    expect(colour('#000000')).toEqual({ y: 16, cb: 128, cr: 128 });
    expect(colour('#ffffff')).toEqual({ y: 235, cb: 128, cr: 128 });
    expect(colour('#ff0000')).toEqual({ y: 63, cb: 102, cr: 240 });
    expect(colour('#0000ff')).toEqual({ y: 32, cb: 240, cr: 118 });
  });

  it('leaves out what falls outside', () => {
    const surface = new Surface(32, 32);
    const white = colour('#ffffff');
    surface.fill(-16, -16, 200, 200, white);
    surface.stamp(-8, -8, disc(16), colour('#000000'), white);
    surface.stamp(24, 24, disc(16), colour('#000000'), white);
    expect(surface.picture.luma.samples[0]).toBeLessThan(40);
    expect(surface.picture.luma.samples[16 * 32 + 16]).toBe(235);
  });

  it('has every character it needs and refuses others', () => {
    for (const char of '0123456789:.ACEFIMNORTUainor ') {
      const mask = glyph(char, 24, 32, 4, 2);
      const inked = mask.luma.reduce((sum, part) => sum + part, 0);
      expect(inked > 0, char).toBe(char !== ' ');
    }
    expect(() => glyph('é', 24, 32, 4, 2)).toThrow(RangeError);
    expect(pill(40, 20).luma[10 * 40 + 20]).toBe(255);
    expect(pill(40, 20).luma[0]).toBe(0);
  });
});
