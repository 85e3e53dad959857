import type { StreamName } from '@onair/media';
import { DEFAULT_HLS_OPTIONS, type HlsOptions } from './options.ts';

/** Settings for the streams whose name fits. */
export interface StreamRule {
  /** `APP/NAME`, where `*` stands for any characters but the slash. */
  readonly match: string;
  readonly segmentMs?: number | undefined;
  readonly partMs?: number | undefined;
  readonly windowSegments?: number | undefined;
}

/** The options of a stream: those of the first rule that fits it, in front of the common ones. */
export function optionsFor(stream: StreamName, common: HlsOptions, rules: readonly StreamRule[]): HlsOptions {
  const rule = rules.find(({ match }) => fits(match, stream));
  if (rule === undefined) return common;
  return {
    ...common,
    segmentMs: rule.segmentMs ?? common.segmentMs,
    partMs: rule.partMs ?? common.partMs,
    windowSegments: rule.windowSegments ?? common.windowSegments,
  };
}

/** Settings as an operator writes them: for all streams, and for those whose name fits a rule. */
export type HlsSettings = Omit<HlsOptions, 'maxBytes'> & { readonly streams: readonly StreamRule[] };

/** Streams whose options are remembered at one time. */
const MAX_KNOWN = 1024;

/**
 * The options of every stream: worked out once per stream as long as the settings are the same object, since each
 * request asks for them.
 */
export function streamOptions(settings: () => HlsSettings): (stream: StreamName) => HlsOptions {
  const known = new Map<StreamName, HlsOptions>();
  let seen: HlsSettings | undefined;
  return (stream) => {
    const now = settings();
    if (now !== seen || known.size >= MAX_KNOWN) known.clear();
    seen = now;
    let options = known.get(stream);
    if (options === undefined) {
      const { streams, ...common } = now;
      options = optionsFor(stream, { ...DEFAULT_HLS_OPTIONS, ...common }, streams);
      known.set(stream, options);
    }
    return options;
  };
}

function fits(pattern: string, stream: StreamName): boolean {
  const [app = '', name = ''] = stream.split('/');
  const [wantedApp = '', wantedName = ''] = pattern.split('/');
  return matches(wantedApp, app) && matches(wantedName, name);
}

/** True if `text` fits a pattern with stars; the time it takes grows with the product of the lengths, no worse. */
function matches(pattern: string, text: string): boolean {
  const [head = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return text === head;
  if (!text.startsWith(head)) return false;
  const tail = rest.pop()!;
  let at = head.length;
  for (const piece of rest) {
    const found = text.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return text.length - tail.length >= at && text.endsWith(tail);
}
