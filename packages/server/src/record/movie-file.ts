import type { Track } from '@onair/media';
import { type MovieSample, movieHeader, type SampledTrack } from '@onair/media/isobmff';
import type { RecordedRun } from './run.ts';
import { scanRun } from './run-file.ts';

/** What is made while runs are read. */
interface Lane {
  readonly id: number;
  readonly parameters: Track[];
  readonly samples: (MovieSample & { dts: number; pts: number })[];
  lastDuration: number;
}

/** A finished file over the media of runs that lie one behind the other. */
export interface Movie {
  /** Everything in front of the media. */
  readonly header: Uint8Array;
  /** µs. */
  readonly duration: number;
}

/**
 * Makes the header with which the runs' files, one behind the other, are one progressive MP4 with a length and an
 * index to seek by. The runs follow one another without a pause. Reads every file once.
 */
export async function makeMovie(runs: readonly RecordedRun[]): Promise<Movie> {
  const lanes = new Map<string, Lane>();
  let base = 0;
  let offset = 0;
  for (const run of runs) {
    const start = run.segments[0]?.time ?? 0;
    const from = base;
    const at = offset;
    const last = run.segments.at(-1);
    const length = last === undefined ? 0 : last.time + last.duration - start;
    await scanRun(run.path, {
      header: () => {},
      chunk: (chunk) => {
        const track = run.tracks.find(({ id }) => id === chunk.track);
        if (track === undefined) return;
        const lane = laneOf(lanes, track);
        const description = describe(lane, track);
        const shift = Math.round(((from - start) / 1_000_000) * track.timebase);
        for (const sample of chunk.parsed.samples) {
          const dts = sample.dts + shift;
          const last = lane.samples.at(-1);
          // A tail of the run before may reach into this one.
          if (last !== undefined && dts <= last.dts) continue;
          lane.samples.push({
            dts,
            pts: sample.pts + shift,
            keyframe: sample.keyframe,
            size: sample.data.length,
            offset: at + chunk.offset + (sample.data.byteOffset - chunk.bytes.byteOffset),
            description,
          });
          lane.lastDuration = sample.duration;
        }
      },
    });
    // Runs meet at their pictures; sound that goes on beyond them meets the sound of the next run.
    base += length;
    offset += run.size;
  }
  const tracks: SampledTrack[] = [...lanes.values()].sort((a, b) => a.id - b.id);
  startAtZero([...lanes.values()]);
  return { header: movieHeader(tracks, offset), duration: base };
}

/** Sound may begin before the first picture: then the movie begins with it. */
function startAtZero(lanes: readonly Lane[]): void {
  const early = Math.min(0, ...lanes.map((lane) => (lane.samples[0]?.dts ?? 0) / timebaseOf(lane)));
  if (early === 0) return;
  for (const lane of lanes) {
    const shift = Math.round(-early * timebaseOf(lane));
    for (const sample of lane.samples) {
      sample.dts += shift;
      sample.pts += shift;
    }
  }
}

function timebaseOf({ parameters }: Lane): number {
  return parameters[0]!.timebase;
}

/** Tracks of one kind, number and timebase are one track of the file. */
function laneOf(lanes: Map<string, Lane>, track: Track): Lane {
  const key = `${track.parameters.kind} ${track.timebase} ${track.id}`;
  let lane = lanes.get(key);
  if (lane === undefined) {
    const taken = [...lanes.values()].map(({ id }) => id);
    const id = taken.includes(track.id) ? Math.max(...taken) + 1 : track.id;
    lane = { id, parameters: [], samples: [], lastDuration: 0 };
    lanes.set(key, lane);
  }
  return lane;
}

/** The number of the track's parameters within its lane. */
function describe(lane: Lane, track: Track): number {
  const known = lane.parameters.findIndex(
    (one) => one === track || JSON.stringify(one.parameters) === JSON.stringify(track.parameters),
  );
  return known >= 0 ? known : lane.parameters.push(track) - 1;
}
