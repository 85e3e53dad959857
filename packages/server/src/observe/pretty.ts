import { escapeControls } from './redact.ts';

const COLOURS: Readonly<Record<string, string>> = {
  trace: '90',
  debug: '90',
  info: '34',
  warn: '33',
  error: '31',
  fatal: '31;1',
};

/** One JSON log line as a line for a person. `colour` adds ANSI colours; the record itself cannot. */
export function prettyLine(json: string, colour: boolean): string {
  let record: Record<string, unknown>;
  try {
    record = JSON.parse(json) as Record<string, unknown>;
  } catch {
    return `${escapeControls(json.trimEnd())}\n`;
  }
  const { time, level, msg, err, ...rest } = record;
  const paint = (code: string, text: string): string => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const word = String(level);
  let line = `${paint('90', clock(time))} ${paint(COLOURS[word] ?? '0', word.padEnd(5))} ${escapeControls(String(msg ?? ''))}`;
  for (const [name, value] of Object.entries(rest)) {
    line += ` ${paint('90', `${escapeControls(name)}=`)}${valueText(value)}`;
  }
  line += errorText(err);
  return `${line}\n`;
}

function clock(time: unknown): string {
  const date = new Date(typeof time === 'string' || typeof time === 'number' ? time : Number.NaN);
  if (Number.isNaN(date.getTime())) return '--:--:--.---';
  const two = (value: number): string => String(value).padStart(2, '0');
  const seconds = `${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`;
  return `${two(date.getHours())}:${two(date.getMinutes())}:${seconds}`;
}

function valueText(value: unknown): string {
  if (typeof value === 'string' && /^[^\s"=]+$/.test(value)) return escapeControls(value);
  return escapeControls(JSON.stringify(value) ?? '');
}

function errorText(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  const { stack, message } = error as { stack?: unknown; message?: unknown };
  const text = typeof stack === 'string' ? stack : String(message ?? '');
  return text
    .split('\n')
    .slice(0, 30)
    .map((line) => `\n    ${escapeControls(line.trim())}`)
    .join('');
}
