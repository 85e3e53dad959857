import type { Fault, HlsRule } from '@onair/media/hls';

/** Findings of one rule that are kept in words; further ones are counted. */
const KEPT_PER_RULE = 4;

/** Gathers what breaks rules, so that a fault in every part does not drown the others. */
export class HlsFindings {
  readonly #byRule = new Map<HlsRule, { count: number; readonly texts: string[] }>();
  /** True: what only should be otherwise counts too. */
  readonly #strict: boolean;

  constructor(strict: boolean) {
    this.#strict = strict;
  }

  /** Adds `faults` that were found at `where`. */
  add(faults: readonly Fault[], where = ''): void {
    for (const { rule, severity, clause, message } of faults) {
      if (severity === 'should' && !this.#strict) continue;
      const known = this.#byRule.get(rule) ?? { count: 0, texts: [] };
      this.#byRule.set(rule, known);
      const text = `${rule}: ${where === '' ? '' : `${where}: `}${message} (${clause})`;
      if (known.texts.includes(text)) continue;
      known.count++;
      if (known.texts.length < KEPT_PER_RULE) known.texts.push(text);
    }
  }

  /** Rules that were broken. */
  get rules(): HlsRule[] {
    return [...this.#byRule.keys()];
  }

  /** One line per finding, and one per rule for those left out. */
  get lines(): string[] {
    return [...this.#byRule].flatMap(([rule, { count, texts }]) =>
      count > texts.length ? [...texts, `${rule}: ${count - texts.length} more`] : texts,
    );
  }
}
