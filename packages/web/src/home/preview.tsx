import type { StreamInfo } from '@onair/contracts/api';
import type { JSX } from 'preact';
import { sparklinePoints } from '../parts/sparkline.tsx';
import { shortName } from '../parts/stream-facts.ts';

/** What fills a card until there is a picture: the stream's initial over the course of its bitrate. */
export function Preview({ stream }: { readonly stream: StreamInfo }): JSX.Element {
  const points = sparklinePoints(stream.bitrateHistory, 320, 56);
  return (
    <div class="preview">
      <span class="preview-initial" aria-hidden="true">
        {shortName(stream.name).slice(0, 2)}
      </span>
      {stream.bitrateHistory.length > 1 && (
        <svg class="preview-course" viewBox="0 0 320 60" preserveAspectRatio="none" aria-hidden="true">
          <polygon points={`0,60 ${points} 320,60`} />
          <polyline points={points} />
        </svg>
      )}
    </div>
  );
}
