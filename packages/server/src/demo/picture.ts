import { macroblocks } from './parameter-sets.ts';
import type { Plane } from './transform.ts';

/** A 4:2:0 picture in whole macroblocks. */
export interface Picture {
  /** Macroblocks in a row. */
  readonly columns: number;
  /** Rows of macroblocks. */
  readonly rows: number;
  readonly luma: Plane;
  readonly cb: Plane;
  readonly cr: Plane;
}

/** A black picture that covers `width` by `height` pixels. */
export function createPicture(width: number, height: number): Picture {
  const columns = macroblocks(width);
  const rows = macroblocks(height);
  const plane = (unit: number, level: number): Plane => ({
    samples: new Uint8Array(columns * rows * unit * unit).fill(level),
    stride: columns * unit,
  });
  return { columns, rows, luma: plane(16, 16), cb: plane(8, 128), cr: plane(8, 128) };
}
