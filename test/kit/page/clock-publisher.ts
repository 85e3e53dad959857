import {
  BURNT_CLOCK,
  BURNT_CLOCK_CELLS,
  burntClockCell,
  burntClockCells,
} from '@onair/contracts/burnt-clock';

export { WhipPublisher } from '@onair/client/publisher';

/** A moving picture with the clock of this machine burnt in, newly drawn at each of `rate` pictures a second. */
export function clockStream(width: number, height: number, rate: number): MediaStream {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [width, height];
  const drawing = canvas.getContext('2d')!;
  const [left, top] = [BURNT_CLOCK.x * width, BURNT_CLOCK.y * height];
  const draw = (): void => {
    const now = Date.now();
    drawing.fillStyle = '#345';
    drawing.fillRect(0, 0, width, height);
    drawing.fillStyle = '#fa3';
    drawing.fillRect(((now / 4) % (width + 80)) - 80, height / 4, 80, height / 4);
    drawing.fillStyle = '#000';
    drawing.fillRect(left, top, BURNT_CLOCK.width * width, BURNT_CLOCK.height * height);
    drawing.fillStyle = '#fff';
    const cells = burntClockCells(now);
    for (let at = 0; at < BURNT_CLOCK_CELLS; at++) {
      if (cells[at] !== 1) continue;
      const cell = burntClockCell(at, width, height);
      drawing.fillRect(cell.x, cell.y, cell.width, cell.height);
    }
  };
  draw();
  setInterval(draw, 1000 / rate);
  return canvas.captureStream(rate);
}
