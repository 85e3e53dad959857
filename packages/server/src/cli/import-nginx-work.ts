import { readFileSync, statSync } from 'node:fs';
import { stringify } from 'yaml';
import { buildConfig } from '../config/index.ts';
import { importNginx, type Remark } from '../nginx/index.ts';

/** Largest file that is read, in bytes. */
const MAX_FILE = 1_000_000;

/**
 * The configuration that a file of nginx stands for, as YAML with remarks in front.
 * @throws Error if the file cannot be read, ConfError if it is no configuration.
 */
export function importConf(file: string): string {
  if (statSync(file).size > MAX_FILE) throw new Error(`${file} has more than ${MAX_FILE} bytes`);
  const { config, remarks } = importNginx(readFileSync(file, 'utf8'));
  const lines = [
    `# Made of ${file.split('/').at(-1)}; run it with: onair serve --config THIS-FILE`,
    ...listed('Without counterpart:', remarks, 'lacking'),
    ...listed('Not needed here:', remarks, 'needless'),
  ];
  const body = Object.keys(config).length === 0 ? '' : stringify(config);
  buildConfig({}, body);
  return `${lines.map((line) => line.replaceAll(/\p{Cc}/gu, ' ')).join('\n')}\n${body}`;
}

function listed(title: string, remarks: readonly Remark[], kind: Remark['kind']): string[] {
  const some = remarks.filter((remark) => remark.kind === kind);
  if (some.length === 0) return [];
  return [
    '#',
    `# ${title}`,
    ...some.map(({ line, directive, why }) => `#   line ${line}, ${directive}: ${why}`),
  ];
}
