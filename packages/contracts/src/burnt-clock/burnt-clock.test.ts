import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BURNT_CLOCK,
  BURNT_CLOCK_CELLS,
  burntClockCell,
  burntClockCells,
  readBurntClock,
  readBurntClockStrip,
} from './index.ts';

const NOW = 1_795_000_001_033;

interface Image {
  readonly pixels: Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

/** A picture with the strip drawn on a dark ground, levels of black and white as given. */
function draw(ms: number, width: number, height: number, black = 16, white = 235): Image {
  const pixels = new Uint8ClampedArray(width * height * 4).fill(20);
  burntClockCells(ms).forEach((bit, index) => {
    const cell = burntClockCell(index, width, height);
    for (let y = Math.round(cell.y); y < Math.round(cell.y + cell.height); y++) {
      const from = (y * width + Math.round(cell.x)) * 4;
      const to = (y * width + Math.round(cell.x + cell.width)) * 4;
      pixels.fill(bit === 1 ? white : black, from, to);
    }
  });
  return { pixels, width, height };
}

/** Bilinear scaling as a browser's canvas does it at low quality. */
function scale(image: Image, width: number, height: number): Image {
  const pixels = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const fromX = Math.max(((x + 0.5) * image.width) / width - 0.5, 0);
      const fromY = Math.max(((y + 0.5) * image.height) / height - 0.5, 0);
      const [left, top] = [Math.floor(fromX), Math.floor(fromY)];
      const at = (column: number, row: number): number =>
        image.pixels[
          (Math.min(row, image.height - 1) * image.width + Math.min(column, image.width - 1)) * 4
        ]!;
      const upper = at(left, top) * (1 - fromX + left) + at(left + 1, top) * (fromX - left);
      const lower = at(left, top + 1) * (1 - fromX + left) + at(left + 1, top + 1) * (fromX - left);
      pixels.fill(
        upper * (1 - fromY + top) + lower * (fromY - top),
        (y * width + x) * 4,
        (y * width + x) * 4 + 4,
      );
    }
  }
  return { pixels, width, height };
}

const read = (image: Image): number | undefined =>
  readBurntClock(image.pixels, image.width, image.height)?.ms;

describe('cells', () => {
  it('are sync, 48 bits of milliseconds and CRC-8, most significant bit first', () => {
    const bits = [...burntClockCells(NOW)].join('');
    expect(bits.slice(0, 8)).toBe('10110010');
    expect(Number.parseInt(bits.slice(8, 56), 2)).toBe(NOW);
    expect(bits.slice(56)).toBe(crcByDivision(NOW));
  });

  it('lie on whole macroblocks at 640x360', () => {
    expect(burntClockCell(0, 640, 360)).toEqual({ x: 64, y: 304, width: 16, height: 16 });
    expect(burntClockCell(33, 640, 360)).toEqual({ x: 80, y: 320, width: 16, height: 16 });
    expect(BURNT_CLOCK_CELLS).toBe(64);
  });

  it('refuse what they cannot hold', () => {
    for (const ms of [-1, 1.5, 2 ** 48, Number.NaN]) expect(() => burntClockCells(ms)).toThrow(RangeError);
  });
});

describe('reader', () => {
  it('reads every time back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 48 - 1 }), (ms) => {
        expect(read(draw(ms, 320, 180))).toBe(ms);
      }),
      { numRuns: 40 },
    );
  });

  it.each([
    [160, 90],
    [213, 120],
    [320, 180],
    [426, 240],
    [854, 480],
    [1000, 562],
    [1280, 720],
    [1920, 1080],
  ])('reads a 640x360 picture scaled to %ix%i', (width, height) => {
    expect(read(scale(draw(NOW, 640, 360), width, height))).toBe(NOW);
  });

  it('reads pictures drawn at sizes that are no multiple of the reference', () => {
    for (const [width, height] of [
      [854, 480],
      [426, 240],
      [1366, 768],
      [500, 500],
    ] as const) {
      expect(read(draw(NOW, width, height))).toBe(NOW);
    }
  });

  it('reads the strip alone, scaled to 128x8', () => {
    const whole = draw(NOW, 640, 360);
    const strip = new Uint8ClampedArray(512 * 32 * 4);
    for (let y = 0; y < 32; y++) {
      const from = ((304 + y) * 640 + 64) * 4;
      strip.set(whole.pixels.subarray(from, from + 512 * 4), y * 512 * 4);
    }
    const { pixels, width, height } = scale({ pixels: strip, width: 512, height: 32 }, 128, 8);
    expect(readBurntClockStrip(pixels, width, height)).toEqual({ ms: NOW });
    expect(BURNT_CLOCK.columns).toBe(32);
  });

  it('reads through noise, full range and faint contrast', () => {
    expect(read(draw(NOW, 640, 360, 0, 255))).toBe(NOW);
    expect(read(draw(NOW, 640, 360, 90, 150))).toBe(NOW);
    const noisy = draw(NOW, 640, 360);
    let seed = 7;
    for (let at = 0; at < noisy.pixels.length; at++) {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      noisy.pixels[at]! += (seed >> 16) % 60;
    }
    expect(read(noisy)).toBe(NOW);
  });

  it('tells nothing where there is no clock', () => {
    const blank = (level: number): Image => ({
      pixels: new Uint8ClampedArray(64 * 36 * 4).fill(level),
      width: 64,
      height: 36,
    });
    expect(read(blank(0))).toBeUndefined();
    expect(read(blank(255))).toBeUndefined();
    expect(read(draw(NOW, 640, 360, 100, 120))).toBeUndefined(); // too faint
    expect(readBurntClock(new Uint8Array(0), 640, 360)).toBeUndefined();
    expect(readBurntClock(new Uint8Array(16), 0, 0)).toBeUndefined();
    expect(readBurntClock(new Uint8Array(16), 1.5, 2)).toBeUndefined();
    expect(readBurntClock(new Uint8Array(16), Number.NaN, 2)).toBeUndefined();
  });

  it('tells nothing where any one cell is wrong or grey', () => {
    for (let index = 0; index < BURNT_CLOCK_CELLS; index++) {
      for (const wrong of ['flipped', 'grey'] as const) {
        const image = draw(NOW, 320, 180);
        const cell = burntClockCell(index, 320, 180);
        const white = burntClockCells(NOW)[index] === 1;
        const level = wrong === 'grey' ? 125 : white ? 16 : 235;
        for (let y = cell.y; y < cell.y + cell.height; y++) {
          image.pixels.fill(level, (y * 320 + cell.x) * 4, (y * 320 + cell.x + cell.width) * 4);
        }
        expect(read(image), `cell ${index} ${wrong}`).toBeUndefined();
      }
    }
  });

  it('hardly ever believes noise', () => {
    let believed = 0;
    let seed = 1;
    for (let round = 0; round < 2000; round++) {
      const pixels = new Uint8Array(32 * 2 * 4);
      for (let at = 0; at < pixels.length; at++) {
        seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
        pixels[at] = seed & 0x800000 ? 255 : 0;
      }
      if (readBurntClockStrip(pixels, 32, 2) !== undefined) believed++;
    }
    expect(believed).toBeLessThan(3);
  });
});

/** The check as the standard long division over single bits, for comparison. */
function crcByDivision(ms: number): string {
  const bits = [...ms.toString(2).padStart(48, '0')].map(Number);
  const register = new Array<number>(8).fill(1);
  for (const bit of bits) {
    const carry = register.shift()! ^ bit;
    register.push(0);
    if (carry === 0) continue;
    for (const at of [5, 6, 7]) register[at] = register[at]! ^ 1;
  }
  return register.join('');
}
