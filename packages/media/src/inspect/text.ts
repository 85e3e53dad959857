import type { Finding, Node, Report, TrackReport } from './model.ts';

const MARKS = { error: 'error  ', warning: 'warning', note: 'note   ' } as const;

/** A report as lines of text for a terminal. @param name of the file. */
export function reportText(name: string, report: Report): string {
  const {
    formatName = 'unknown format',
    size,
    duration,
    fragmented,
    tracks,
    findings,
    findingCount,
  } = report;
  const how = fragmented === undefined ? '' : fragmented ? ', fragmented' : ', not fragmented';
  const bytes = size === undefined ? '' : `, ${size} bytes`;
  const lines = [`${name}: ${formatName}${how}${bytes}${duration > 0 ? `, ${seconds(duration)}` : ''}`];
  for (const track of tracks) lines.push('', ...trackLines(track));
  if (report.startOffset !== undefined && report.endOffset !== undefined) {
    lines.push(
      '',
      `A/V: the sound begins ${beside(report.startOffset)} and ends ${beside(report.endOffset)}`,
    );
  }
  if (findings.length > 0) lines.push('', ...findings.map(findingLine));
  const more = findingCount - findings.length;
  if (more > 0) lines.push(`${more} further findings are not listed.`);
  return `${lines.join('\n')}\n`;
}

/** A finding in one line. */
export function findingLine({ severity, message, offset }: Finding): string {
  return `${MARKS[severity]} ${offset === undefined ? '' : `at byte ${offset}: `}${message}`;
}

/** A box, element, tag or packet in one line: `[moov] size=8+1021`, deeper ones indented. */
export function nodeLine({ depth, name, offset, size, headerBytes, detail }: Node): string {
  const length = size === undefined ? 'unknown' : `${headerBytes}+${size - headerBytes}`;
  return `${'  '.repeat(depth)}[${name}] size=${length} at=${offset}${detail === '' ? '' : ` ${detail}`}`;
}

function trackLines(track: TrackReport): string[] {
  const { id, kind, codec, codecString, samples, keyframes, duration, bitrate, language } = track;
  const facts = [kind, codec];
  if (track.width !== undefined) facts.push(`${track.width}x${track.height}`);
  if (track.frameRate !== undefined) facts.push(`${track.frameRate.toFixed(3)} fps`);
  if (track.sampleRate !== undefined) facts.push(`${track.sampleRate} Hz`, `${track.channels} channels`);
  if (language !== undefined) facts.push(language);
  const lines = [`Track ${id}: ${facts.join(', ')}`];
  if (codecString !== undefined) lines.push(`  Codecs String: ${codecString}`);
  lines.push(
    `  ${samples} samples, ${seconds(duration)}, ${Math.round(bitrate / 1000)} kbit/s, ${track.bytes} bytes`,
  );
  if (track.firstPts !== undefined) {
    lines.push(`  shown from ${seconds(track.firstPts)}, decoded from ${seconds(track.firstDts ?? 0)}`);
  }
  if (kind === 'video' && track.gop !== undefined) {
    const { shortest, longest, average, longestSeconds } = track.gop;
    const groups = `${shortest} to ${longest} pictures, ${average.toFixed(1)} on average`;
    const longestText = longestSeconds > 0 ? `, up to ${seconds(longestSeconds)}` : '';
    lines.push(`  ${keyframes} keyframes, GOP ${groups}${longestText}`);
    lines.push(`  B-frames: ${track.bFrames === true ? 'yes' : 'no'}`);
  }
  return lines;
}

function seconds(value: number): string {
  return `${value.toFixed(3)} s`;
}

function beside(value: number): string {
  if (Math.abs(value) < 0.0005) return 'with the picture';
  return `${seconds(Math.abs(value))} ${value > 0 ? 'after' : 'before'} the picture`;
}
