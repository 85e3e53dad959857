import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const runner = fileURLToPath(new URL('../../bin/bundle.js', import.meta.url));

describe('the bundle and its compiled code', () => {
  let folder: string;
  const at = (name: string): string => join(folder, name);
  /** As the bundler writes it: a function of what a module is given. */
  const write = (name: string, body: string): void =>
    writeFileSync(at(name), `(function (exports, require, module, __filename, __dirname) {\n${body}\n})`);
  const run = (): string => {
    const script = `require(${JSON.stringify(runner)}).runBundle(${JSON.stringify(at('main.js'))})`;
    const { stdout, stderr, status } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
    return `${stdout}${stderr}${status}`;
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'onair-code-'));
    write('main.js', "console.log(require('./part.js').word, require('node:path').sep);");
    write('part.js', "exports.word = 'one';");
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('is kept beside the source by the first run, and taken by the next', () => {
    expect(run()).toBe('one /\n0');
    expect(readdirSync(folder).toSorted()).toEqual(['main.js', 'main.js.code', 'part.js', 'part.js.code']);
    const kept = statSync(at('part.js.code')).mtimeMs;
    expect(run()).toBe('one /\n0');
    expect(statSync(at('part.js.code')).mtimeMs).toBe(kept);
  });

  it('is made anew where it belongs to another source or is damaged', () => {
    run();
    write('part.js', "exports.word = 'another';");
    writeFileSync(at('main.js.code'), 'no code');
    expect(run()).toBe('another /\n0');
    expect(statSync(at('main.js.code')).size).toBeGreaterThan(100);
    expect(run()).toBe('another /\n0');
  });

  it('is done without where the folder cannot be written', () => {
    // Folders in its place refuse the name to everybody, whoever runs this.
    for (const name of ['main.js.code', 'part.js.code'])
      mkdirSync(join(at(name), 'full'), { recursive: true });
    expect(run()).toBe('one /\n0');
    expect(readdirSync(folder)).toHaveLength(4);
  });

  it('leaves lines of errors where the source has them', () => {
    write('main.js', "require('./part.js');");
    write('part.js', "const a = 1;\nthrow new Error('here');");
    expect(run()).toContain('part.js:3');
  });
});
