import { BURNT_CLOCK_CELLS, burntClockCell, burntClockCells } from '@onair/contracts/burnt-clock';
import { disc, glyph, type Mask, pill } from './glyphs.ts';
import type { Picture } from './picture.ts';
import { type Colour, colour, Surface } from './surface.ts';

/** Sizes below are in pixels of a picture of this size. */
const REFERENCE = { width: 640, height: 360 } as const;

const GROUND = colour('#0e1116');
const TEXT = colour('#f2f5f9');
const MUTED = colour('#8d97a5');
const LINE = colour('#2a313c');
const ON_AIR = colour('#ff3b3b');
const BLACK = colour('#000000');
const WHITE = colour('#ffffff');
/** 75 % colour bars in the order of falling luma. */
const BARS = ['#bfbfbf', '#bfbf00', '#00bfbf', '#00bf00', '#bf00bf', '#bf0000', '#0000bf', '#05070a'].map(
  colour,
);

const NAME = {
  x: 104,
  y: 16,
  letters: [
    ['o', 24],
    ['n', 24],
    ['a', 24],
    ['i', 14],
    ['r', 24],
  ],
} as const;
/** How the characters of one line are drawn. */
interface TextStyle {
  readonly y: number;
  readonly height: number;
  /** Of a character's cell, where `widths` does not tell. */
  readonly width: number;
  readonly widths?: Readonly<Record<string, number>>;
  readonly weight: number;
  readonly margin: number;
}

const CLOCK: TextStyle = { y: 64, height: 80, width: 48, widths: { ':': 32 }, weight: 7, margin: 5 };
const CLOCK_X = 64;
const MILLISECONDS: TextStyle = { y: 96, height: 48, width: 32, widths: { '.': 16 }, weight: 5, margin: 4 };
const MILLISECONDS_X = 416;
const CAPTION: TextStyle = { y: 144, height: 32, width: 16, weight: 2.4, margin: 2.4 };
const ZONE: TextStyle = { ...CAPTION, y: 64 };
const ZONE_X = 432;
const COUNTER_DIGITS = 8;
const COUNTER_X = 160;
const RAIL = { x: 64, y: 272, width: 512, height: 32 } as const;
const LAMP = { x: 64, y: 16, size: 32 } as const;
/** How long the lamp is lit from each full second on, in milliseconds; as long as the beep. */
const LAMP_MS = 100;

/** One line of characters at fixed places, of which only those that change are drawn again. */
interface TextField {
  readonly y: number;
  readonly ink: Colour;
  readonly glyphs: ReadonlyMap<string, Mask>;
  /** Left edge of each character in pixels. */
  readonly positions: readonly number[];
  shown: string;
}

/**
 * The moving test picture: name and tally, wall clock in UTC, frame counter, colour bars, a ball that meets
 * an end of its rail at each full second, a lamp that flashes with the beep, and the machine-readable clock.
 */
export class TestPicture {
  readonly #surface: Surface;
  readonly #width: number;
  readonly #height: number;
  readonly #clock: TextField;
  readonly #milliseconds: TextField;
  readonly #counter: TextField;
  readonly #ball: Mask;
  readonly #lamp: Mask;
  readonly #cells = new Uint8Array(BURNT_CLOCK_CELLS).fill(2);
  #ballAt = -1;
  #lampInk: Colour | undefined;

  /** @param width visible pixels; even. @param height visible pixels; even. */
  constructor(width: number, height: number) {
    this.#width = width;
    this.#height = height;
    this.#surface = new Surface(width, height);
    const ballSize = Math.min(this.#across(RAIL.height), this.#down(RAIL.height));
    this.#ball = disc(ballSize);
    this.#lamp = disc(Math.min(this.#across(LAMP.size), this.#down(LAMP.size)));
    this.#clock = this.#field(CLOCK, CLOCK_X, '0123456789:', '00:00:00', TEXT);
    this.#milliseconds = this.#field(MILLISECONDS, MILLISECONDS_X, '0123456789.', '.000', TEXT);
    this.#counter = this.#field(CAPTION, COUNTER_X, '0123456789', '0'.repeat(COUNTER_DIGITS), TEXT);
    this.#drawStill();
  }

  /** The picture; drawn over by the next {@link draw}. */
  get picture(): Picture {
    return this.#surface.picture;
  }

  /** One byte a macroblock: 1 where the last {@link draw} may have changed something. */
  get damage(): Uint8Array {
    return this.#surface.damage;
  }

  /**
   * Draws the picture of one moment.
   * @param ms whole milliseconds since 1970-01-01T00:00:00Z. @param frame what the counter shows.
   */
  draw(ms: number, frame: number): void {
    this.#surface.clean();
    const time = new Date(ms).toISOString();
    this.#write(this.#clock, time.slice(11, 19));
    this.#write(this.#milliseconds, time.slice(19, 23));
    this.#write(this.#counter, String(frame % 10 ** COUNTER_DIGITS).padStart(COUNTER_DIGITS, '0'));
    this.#moveBall(ms);
    this.#switchLamp(ms);
    this.#burnClock(ms);
  }

  /** Pixels for a horizontal measure of the reference picture, even. */
  #across(length: number): number {
    return 2 * Math.round((length * this.#width) / REFERENCE.width / 2);
  }

  /** Pixels for a vertical measure of the reference picture, even. */
  #down(length: number): number {
    return 2 * Math.round((length * this.#height) / REFERENCE.height / 2);
  }

  #drawStill(): void {
    const { columns, rows } = this.picture;
    this.#surface.fill(0, 0, columns * 16, rows * 16, GROUND);
    this.#drawName();
    this.#drawTally();
    this.#writeOnce(ZONE, ZONE_X, 'UTC');
    this.#writeOnce(CAPTION, CLOCK_X, 'FRAME');
    BARS.forEach((ink, index) => {
      const from = this.#across((index * REFERENCE.width) / BARS.length);
      const to = this.#across(((index + 1) * REFERENCE.width) / BARS.length);
      this.#surface.fill(from, this.#down(192), to - from, this.#down(272) - this.#down(192), ink);
    });
    this.#drawRail(0, this.#width);
  }

  #drawName(): void {
    let x: number = NAME.x;
    for (const [char, width] of NAME.letters) {
      const mask = glyph(char, this.#across(width), this.#down(32), this.#down(10) / 2.4, this.#down(4) / 2);
      this.#surface.stamp(this.#across(x), this.#down(NAME.y), mask, TEXT, GROUND);
      x += width;
    }
  }

  #drawTally(): void {
    const box = pill(this.#across(128), this.#down(32));
    const x = this.#across(448);
    const y = this.#down(16);
    this.#surface.stamp(x, y, box, ON_AIR, GROUND);
    const width = this.#across(14);
    const height = this.#down(20);
    [...'ON AIR'].forEach((char, index) => {
      const mask = glyph(char, width, height, this.#down(24) / 10, this.#down(2));
      this.#surface.stamp(x + this.#across(22 + index * 14), y + this.#down(6), mask, WHITE, ON_AIR);
    });
  }

  /** A line that can show `chars` in the cells of `template`. */
  #field(style: TextStyle, left: number, chars: string, template: string, ink: Colour): TextField {
    const scale = this.#height / REFERENCE.height;
    const widthOf = (char: string): number => style.widths?.[char] ?? style.width;
    const glyphs = new Map<string, Mask>();
    for (const char of chars) {
      const [width, height] = [this.#across(widthOf(char)), this.#down(style.height)];
      glyphs.set(char, glyph(char, width, height, style.weight * scale, style.margin * scale));
    }
    const positions: number[] = [];
    let x = left;
    for (const char of template) {
      positions.push(this.#across(x));
      x += widthOf(char);
    }
    return { y: this.#down(style.y), ink, glyphs, positions, shown: '' };
  }

  #writeOnce(style: TextStyle, x: number, text: string): void {
    this.#write(this.#field(style, x, text, text, MUTED), text);
  }

  #write(field: TextField, text: string): void {
    for (let index = 0; index < text.length; index++) {
      const char = text[index]!;
      if (field.shown[index] === char) continue;
      this.#surface.stamp(field.positions[index]!, field.y, field.glyphs.get(char)!, field.ink, GROUND);
    }
    field.shown = text;
  }

  #drawRail(x: number, width: number): void {
    const y = this.#down(RAIL.y);
    const height = this.#ball.height;
    const left = Math.max(x, this.#across(RAIL.x));
    const right = Math.min(x + width, this.#across(RAIL.x + RAIL.width));
    this.#surface.fill(left, y, right - left, height, GROUND);
    this.#surface.fill(left, y + 2 * Math.floor(height / 4), right - left, 2, LINE);
  }

  /** There in one second, back in the next. */
  #moveBall(ms: number): void {
    const phase = (ms % 2000) / 1000;
    const way = this.#across(RAIL.width) - this.#ball.width;
    const along = 2 * Math.round((way * (phase < 1 ? phase : 2 - phase)) / 2);
    const x = this.#across(RAIL.x) + along;
    if (x === this.#ballAt) return;
    if (this.#ballAt >= 0) this.#drawRail(this.#ballAt, this.#ball.width);
    this.#surface.stamp(x, this.#down(RAIL.y), this.#ball, TEXT, GROUND);
    this.#ballAt = x;
  }

  /** Lit with the beep: red in each tenth second, white in the others. */
  #switchLamp(ms: number): void {
    const lit = ms % 10_000 < LAMP_MS ? ON_AIR : TEXT;
    const ink = ms % 1000 < LAMP_MS ? lit : LINE;
    if (ink === this.#lampInk) return;
    this.#surface.stamp(this.#across(LAMP.x), this.#down(LAMP.y), this.#lamp, ink, GROUND);
    this.#lampInk = ink;
  }

  #burnClock(ms: number): void {
    const cells = burntClockCells(ms);
    const even = (value: number): number => 2 * Math.round(value / 2);
    for (let index = 0; index < cells.length; index++) {
      if (cells[index] === this.#cells[index]) continue;
      const cell = burntClockCell(index, this.#width, this.#height);
      const x = even(cell.x);
      const y = even(cell.y);
      const ink = cells[index] === 1 ? WHITE : BLACK;
      this.#surface.fill(x, y, even(cell.x + cell.width) - x, even(cell.y + cell.height) - y, ink);
      this.#cells[index] = cells[index]!;
    }
  }
}
