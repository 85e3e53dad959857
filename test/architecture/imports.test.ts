import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** Which workspace packages each package may import. */
const PACKAGES: Record<string, readonly string[]> = {
  media: [],
  contracts: [],
  server: ['media', 'contracts'],
  client: ['media', 'contracts'],
  web: ['client', 'contracts', 'media'],
};

/** Which folders of the server each of its folders may import besides itself; media and contracts are `@`. */
const SERVER: Record<string, readonly string[]> = {
  hub: ['@media'],
  packager: ['hub', '@media'],
  observe: ['config', '@media', '@contracts'],
  config: ['@media', '@contracts'],
  net: ['observe', 'config', '@media', '@contracts'],
  disk: [],
  record: ['disk', 'hub', 'packager', '@media', '@contracts'],
  vod: ['record', 'packager', 'net', 'observe', '@media', '@contracts'],
  ingest: ['disk', 'hub', 'net', 'observe', '@media', '@contracts'],
  egress: ['hub', 'packager', 'relay', 'net', 'observe', '@media', '@contracts'],
  files: ['egress', 'net', 'observe', 'config', '@media', '@contracts'],
  auth: ['config', 'observe', '@media', '@contracts'],
  transcode: ['hub', '@media'],
  demo: ['@media', '@contracts'],
  methods: ['net', 'observe', 'config', '@media', '@contracts'],
  nginx: ['net', 'observe', 'config', 'auth', '@media', '@contracts'],
  relay: ['hub', '@media', '@contracts'],
  rooms: ['net', 'observe', 'config', '@media', '@contracts'],
  events: ['disk', 'hub', 'packager', 'net', 'observe', 'config', 'auth', '@media', '@contracts'],
  api: ['hub', 'packager', 'net', 'observe', 'config', 'auth', '@media', '@contracts'],
  cli: ['*'],
};

const MAX_LINES = 400;
const MAX_FIELDS = 12;

interface Source {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly string[];
}

function sources(folder: string): Source[] {
  const found: Source[] = [];
  const walk = (dir: string): void => {
    for (const entry of readdirSync(dir)) {
      if (entry === 'node_modules' || entry === 'dist') continue;
      const path = join(dir, entry);
      if (statSync(path).isDirectory()) walk(path);
      else if (/\.tsx?$/.test(entry) && !entry.endsWith('.d.ts')) {
        const text = readFileSync(path, 'utf8');
        const imports = [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1]!);
        found.push({ path, text, imports });
      }
    }
  };
  walk(folder);
  return found;
}

const all = Object.keys(PACKAGES).flatMap((name) =>
  sources(join(root, 'packages', name, 'src')).map((source) => ({ name, source })),
);
const product = all.filter(({ source }) => !source.path.endsWith('.test.ts'));
const show = (path: string): string => relative(root, path);

describe('architecture', () => {
  it('sees the sources', () => {
    expect(product.length).toBeGreaterThan(10);
  });

  it('packages import only what they may', () => {
    const faults: string[] = [];
    for (const { name, source } of product) {
      for (const target of source.imports) {
        const other = /^@onair\/([a-z]+)/.exec(target)?.[1];
        if (other !== undefined && other !== name && !PACKAGES[name]!.includes(other)) {
          faults.push(`${show(source.path)} imports @onair/${other}`);
        }
        if (target.startsWith('.')) {
          const reached = resolve(dirname(source.path), target);
          if (!reached.startsWith(join(root, 'packages', name, 'src'))) {
            faults.push(`${show(source.path)} reaches out of its package: ${target}`);
          }
        }
      }
    }
    expect(faults).toEqual([]);
  });

  it('media and contracts run anywhere: no node modules, no npm packages, no Buffer, no document', () => {
    const faults: string[] = [];
    for (const { name, source } of product) {
      if (name !== 'media' && name !== 'contracts') continue;
      for (const target of source.imports) {
        if (!target.startsWith('.') && !target.startsWith('@onair/'))
          faults.push(`${show(source.path)}: ${target}`);
      }
      const code = source.text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
      if (/\bBuffer\.|\bprocess\.|\bdocument\.|\bwindow\./.test(code))
        faults.push(`${show(source.path)}: platform global`);
    }
    expect(faults).toEqual([]);
  });

  it('folders of the server import only in the allowed direction', () => {
    const faults: string[] = [];
    const base = join(root, 'packages/server/src');
    for (const { name, source } of product) {
      if (name !== 'server') continue;
      const folder = relative(base, source.path).split('/')[0]!;
      if (folder.endsWith('.ts')) continue; // app.ts and index.ts, the composition root
      const allowed = SERVER[folder];
      if (allowed === undefined) {
        faults.push(`${folder} is not a folder of the architecture`);
        continue;
      }
      if (allowed.includes('*')) continue;
      for (const target of source.imports) {
        const workspace = /^@onair\/([a-z]+)/.exec(target)?.[1];
        if (workspace !== undefined && !allowed.includes(`@${workspace}`)) {
          faults.push(`${show(source.path)} imports @onair/${workspace}`);
        }
        if (!target.startsWith('.')) continue;
        const other = relative(base, resolve(dirname(source.path), target)).split('/')[0]!;
        if (other !== folder && !allowed.includes(other))
          faults.push(`${show(source.path)} imports ${other}`);
      }
    }
    expect(faults).toEqual([]);
  });

  it(`no file is longer than ${MAX_LINES} lines`, () => {
    const long = all
      .map(({ source }) => ({ path: show(source.path), lines: source.text.split('\n').length - 1 }))
      .filter(({ lines }) => lines > MAX_LINES);
    expect(long).toEqual([]);
  });

  it(`no class has more than ${MAX_FIELDS} fields`, () => {
    const faults: string[] = [];
    for (const { source } of product) {
      for (const match of source.text.matchAll(
        /^(?:export )?(?:abstract )?class (\w+)[^\n]*\{\n([\s\S]*?)^\}/gm,
      )) {
        const fields = match[2]!
          .split('\n')
          .filter((line) =>
            /^ {2}(?:(?:static|readonly|override|private|protected|declare) )*#?\w+[?!]?(?::[^(]*)?(?: =.*)?;?$/.test(
              line,
            ),
          )
          .filter((line) => !/^ {2}(?:return|throw|static \{)/.test(line));
        const own = fields.filter((line) => !line.includes('static '));
        if (own.length > MAX_FIELDS) faults.push(`${show(source.path)} ${match[1]}: ${own.length}`);
      }
    }
    expect(faults).toEqual([]);
  });

  it('no any in product code', () => {
    const faults = product
      .filter(({ source }) =>
        /(?::|\bas|<)\s*any\b/.test(source.text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')),
      )
      .map(({ source }) => show(source.path));
    expect(faults).toEqual([]);
  });

  it('who looks for files of the server beside itself is one folder deep, as the bundle is', () => {
    const base = join(root, 'packages/server/src');
    const faults = product
      .filter(({ name, source }) => name === 'server' && source.text.includes('import.meta'))
      .map(({ source }) => relative(base, source.path))
      .filter((path) => path.split('/').length !== 2);
    expect(faults).toEqual([]);
  });

  it('nobody imports the composition root but the CLI', () => {
    const faults = product
      .filter(({ name, source }) => name === 'server' && !/\/(cli|index\.ts)/.test(source.path))
      .filter(({ source }) => source.imports.some((target) => /\/app\.ts$/.test(target)))
      .map(({ source }) => show(source.path));
    expect(faults).toEqual([]);
  });
});
