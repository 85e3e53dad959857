import type { Scope } from './scope.ts';
import type { TestServer } from './server.ts';
import { until } from './until.ts';
import { watchFlv } from './watch-flv.ts';
import { type Fmp4Witness, watchFmp4 } from './watch-fmp4.ts';
import { watchRtmp } from './watch-rtmp.ts';
import type { Witness } from './witness.ts';

/** One viewer of each live protocol on one stream. */
export interface Viewers {
  readonly httpFlv: Witness;
  readonly wsFlv: Witness;
  readonly rtmp: Witness;
  readonly fmp4: Fmp4Witness;
}

/** Begins to watch `APP/NAME` by every live protocol. */
export function watchAll(scope: Scope, server: TestServer, stream: string): Viewers {
  return {
    httpFlv: watchFlv(scope, `${server.http}/${stream}.flv?wait=1`),
    wsFlv: watchFlv(scope, `${server.ws}/${stream}.flv?wait=1`),
    rtmp: watchRtmp(scope, `${server.rtmp}/${stream}`),
    fmp4: watchFmp4(scope, `${server.ws}/${stream}.fmp4`),
  };
}

/** The witnesses of all viewers. */
export function witnesses({ httpFlv, wsFlv, rtmp, fmp4 }: Viewers): Witness[] {
  return [httpFlv, wsFlv, rtmp, fmp4];
}

/** Waits until each witness has seen `ms` milliseconds more than at the call; throws if one ends before. */
export async function seenFurther(list: readonly Witness[], ms: number, timeoutMs = 20_000): Promise<void> {
  const wanted = list.map((witness) => ({ witness, span: witness.spanMs + ms }));
  const late = () =>
    wanted.filter(({ witness, span }) => witness.spanMs < span).map(({ witness }) => witness);
  await until(
    () => {
      const over = late().find(({ ended }) => ended !== undefined);
      if (over !== undefined) throw new Error(`${over.name} is over: ${over.ended}`);
      return late().length === 0;
    },
    {
      timeoutMs,
      message: () =>
        `${late()
          .map(({ name, spanMs, notes }) => `${name} at ${spanMs} ms [${notes.join(', ')}]`)
          .join('; ')} to see ${ms} ms more`,
    },
  );
}

/** Frames of a picture that a viewer lacks, beyond what lies at breaks; and the break itself in milliseconds. */
export function seams(witness: Witness, fps: number): number[] {
  const steps: number[] = [];
  for (let at = 1; at < witness.video.length; at++) {
    const step = witness.video[at]!.ms - witness.video[at - 1]!.ms;
    if (step > 1500 / fps) steps.push(Math.round(step));
  }
  return steps;
}
