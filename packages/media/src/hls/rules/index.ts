export * from './answers.ts';
export * from './check-hint.ts';
export * from './check-media.ts';
export * from './check-presentation.ts';
export * from './check-reports.ts';
export * from './check-timing.ts';
export * from './measure.ts';
export * from './progress.ts';
export { type Fault, HLS_RULES, type HlsRule } from './rule.ts';
