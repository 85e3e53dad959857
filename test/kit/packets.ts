import { execFileSync } from 'node:child_process';

/** A packet as ffprobe shows it; times in seconds. */
export interface ProbedPacket {
  readonly stream: number;
  readonly pts: number;
  /** Undefined if the file does not tell it. */
  readonly duration: number | undefined;
  readonly size: number;
  readonly keyframe: boolean;
}

/** What ffprobe shows of a file. */
export interface ProbedFile {
  /** Codec of each stream. */
  readonly codecs: readonly string[];
  /** Seconds; undefined if the file does not tell it. */
  readonly duration: number | undefined;
  readonly packets: readonly ProbedPacket[];
}

interface Shown {
  readonly packets: readonly {
    readonly stream_index: number;
    readonly pts_time?: string;
    readonly duration_time?: string;
    readonly size: string;
    readonly flags: string;
  }[];
  readonly streams: readonly { readonly codec_name: string }[];
  readonly format: { readonly duration?: string };
}

/** All packets of a file, as ffprobe reads them. */
export function probePackets(file: string): ProbedFile {
  const entries = 'packet=stream_index,pts_time,duration_time,size,flags:stream=codec_name:format=duration';
  const args = ['-v', 'error', '-show_packets', '-show_entries', entries, '-of', 'json', file];
  const shown = JSON.parse(execFileSync('ffprobe', args, { maxBuffer: 1 << 28 }).toString()) as Shown;
  return {
    codecs: shown.streams.map((stream) => stream.codec_name),
    duration: shown.format.duration === undefined ? undefined : Number(shown.format.duration),
    packets: shown.packets.map((packet) => ({
      stream: packet.stream_index,
      pts: Number(packet.pts_time),
      duration: packet.duration_time === undefined ? undefined : Number(packet.duration_time),
      size: Number(packet.size),
      keyframe: packet.flags.includes('K'),
    })),
  };
}
