import type { Finding, Report, TrackReport } from '@onair/media/inspect';
import type { JSX } from 'preact';
import { CopyField } from '../parts/copy-field.tsx';
import { Icon } from '../parts/icon.tsx';
import { bitrate, bytes, codecName, number } from '../words/format.ts';
import { t } from '../words/words.ts';
import { CoursePlot } from './course-plot.tsx';
import { findingWords } from './finding-words.ts';
import type { Inspection } from './inspection.ts';

/** Findings that are shown before somebody asks for all. */
const FEW = 6;

function seconds(value: number): string {
  return `${number(value, 3)} s`;
}

function FindingLine({
  finding,
  onShow,
}: {
  readonly finding: Finding;
  readonly onShow: (offset: number) => void;
}): JSX.Element {
  const { severity, offset } = finding;
  const { text, lang } = findingWords(finding);
  return (
    <li class={`finding finding-${severity}`}>
      <Icon name={severity === 'note' ? 'check' : 'alert'} />
      <span>
        <strong>{t(`inspect.severity.${severity}`)}</strong> <span lang={lang}>{text}</span>{' '}
        {offset !== undefined && (
          // biome-ignore lint/a11y/useValidAnchor: it leads to the tree, where the place is then selected
          <a class="num" href="#inside" onClick={() => onShow(offset)}>
            {t('inspect.at', { offset: number(offset) })}
          </a>
        )}
      </span>
    </li>
  );
}

function Findings({
  report,
  inspection,
}: {
  readonly report: Report;
  readonly inspection: Inspection;
}): JSX.Element {
  const order = { error: 0, warning: 1, note: 2 } as const;
  const sorted = [...report.findings].sort((a, b) => order[a.severity] - order[b.severity]);
  const line = (finding: Finding): JSX.Element => (
    <FindingLine
      key={JSON.stringify(finding)}
      finding={finding}
      onShow={(offset) => inspection.reveal(offset)}
    />
  );
  return (
    <section aria-label={t('inspect.findings')}>
      {sorted.length === 0 && (
        <p class="finding finding-note">
          <Icon name="check" />
          {t('inspect.nothing')}
        </p>
      )}
      <ul class="findings">{sorted.slice(0, FEW).map(line)}</ul>
      {sorted.length > FEW && (
        <details>
          <summary>{t('inspect.more', { count: number(report.findingCount - FEW) })}</summary>
          <ul class="findings">{sorted.slice(FEW).map(line)}</ul>
        </details>
      )}
    </section>
  );
}

function TrackCard({ track }: { readonly track: TrackReport }): JSX.Element {
  const { kind, codec, codecString, samples, duration, gop } = track;
  const word = kind === 'video' ? t('track.video') : kind === 'audio' ? t('track.audio') : t('track.data');
  const facts = [
    ...(track.width === undefined ? [] : [`${track.width}×${track.height}`]),
    ...(track.frameRate === undefined ? [] : [t('inspect.fps', { rate: number(track.frameRate, 2) })]),
    ...(track.sampleRate === undefined
      ? []
      : [`${number(track.sampleRate)} Hz`, t('inspect.channels', { count: track.channels ?? 0 })]),
    seconds(duration),
    t('inspect.samples', { count: number(samples) }),
    bitrate(track.bitrate),
  ];
  return (
    <li class="panel track">
      <h3>
        {word} <span class="muted">{codecName(codec)}</span>
      </h3>
      <p class="small">{facts.join(' · ')}</p>
      {gop !== undefined && (
        <p class="small muted">
          {t('inspect.gop', {
            keys: number(track.keyframes),
            average: number(gop.average, 1),
            longest: number(gop.longest),
          })}
          {' · '}
          {track.bFrames === true ? t('inspect.bframes.yes') : t('inspect.bframes.no')}
        </p>
      )}
      {codecString !== undefined && <CopyField label={t('inspect.codec')} text={codecString} />}
    </li>
  );
}

/** What was found, in words and plots. */
export function Summary({
  name,
  report,
  inspection,
}: {
  readonly name: string;
  readonly report: Report;
  readonly inspection: Inspection;
}): JSX.Element {
  const { formatName, size, duration, tracks, plots, fragmented } = report;
  const facts = [
    formatName ?? t('inspect.format.unknown'),
    ...(fragmented === undefined ? [] : [fragmented ? t('inspect.fragmented') : t('inspect.whole')]),
    ...(size === undefined ? [] : [bytes(size)]),
    ...(duration > 0 ? [seconds(duration)] : []),
  ];
  const video = tracks.some(({ kind, samples: count }) => kind === 'video' && count > 0);
  return (
    <>
      <div class="summary-head">
        <h2 class="summary-name">{name}</h2>
        <p class="muted small">{facts.join(' · ')}</p>
      </div>
      <Findings report={report} inspection={inspection} />
      {tracks.length > 0 && (
        <ul class="tracks" aria-label={t('inspect.tracks')}>
          {tracks.map((track) => (
            <TrackCard key={track.id} track={track} />
          ))}
        </ul>
      )}
      {plots.bitrate.values.length > 0 && (
        <div class="courses">
          <CoursePlot label={t('bitrate')} course={plots.bitrate} kind="bars" write={bitrate} />
          {video && (
            <CoursePlot
              label={t('inspect.plot.gop')}
              course={plots.gop}
              kind="bars"
              write={(value) => number(value)}
            />
          )}
          {plots.offset.values.length > 0 && (
            <CoursePlot label={t('inspect.plot.offset')} course={plots.offset} kind="line" write={seconds} />
          )}
        </div>
      )}
    </>
  );
}
