import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Scope } from '../../../../test/kit/scope.ts';
import { until } from '../../../../test/kit/until.ts';
import { AppendFile, DiskSync, writeWhole } from './index.ts';

const scope = new Scope();
const folder = scope.tempDir('onair-disk-');
afterAll(() => scope.close());
const bytes = (text: string): Uint8Array => Buffer.from(text);

describe('AppendFile', () => {
  it('keeps the order of what is appended, also while it is being written', async () => {
    const file = new AppendFile(join(folder, 'a'));
    let text = '';
    const flushes: Promise<void>[] = [];
    for (let i = 0; i < 2000; i++) {
      text += `${i};`;
      file.append(bytes(`${i};`));
      if (i % 100 === 0) flushes.push(file.flush());
    }
    await Promise.all(flushes);
    await file.close();
    expect(readFileSync(file.path, 'utf8')).toBe(text);
    expect(file.synced).toBe(text.length);
    expect(file.backlog).toBe(0);
  });

  it('cuts off what is behind the good part of a file', async () => {
    const path = join(folder, 'torn');
    writeFileSync(path, 'good, torn');
    const file = new AppendFile(path, 4);
    expect(readFileSync(path, 'utf8')).toBe('good, torn');
    file.append(bytes('!'));
    await file.close();
    expect(readFileSync(path, 'utf8')).toBe('good!');
  });

  it('keeps what the disk does not take, and writes it when it does', async () => {
    const gone = join(folder, 'gone');
    const file = new AppendFile(join(gone, 'x'));
    file.append(bytes('1'));
    await expect(file.flush()).rejects.toThrow();
    file.append(bytes('2'));
    expect(file.backlog).toBe(2);
    mkdirSync(gone);
    await file.flush();
    await file.close();
    expect(readFileSync(file.path, 'utf8')).toBe('12');
  });
});

describe('DiskSync', () => {
  it('flushes by itself, tells a failure once and the recovery once', async () => {
    const missing = join(folder, 'missing');
    const told: string[] = [];
    const sync = new DiskSync(
      { failed: () => told.push('failed'), recovered: () => told.push('recovered') },
      5,
    );
    const good = new AppendFile(join(folder, 'good'));
    const bad = new AppendFile(join(missing, 'bad'));
    sync.add(good);
    sync.add(bad);
    good.append(bytes('a'));
    bad.append(bytes('b'));
    await until(() => good.synced === 1 && told.length === 1);
    mkdirSync(missing);
    await until(() => bad.synced === 1);
    await until(() => told.length === 2);
    expect(told).toEqual(['failed', 'recovered']);
    sync.close();
    await Promise.all([good.close(), bad.close()]);
  });
});

describe('writeWhole', () => {
  it('replaces a file and leaves nothing behind when it cannot', async () => {
    const path = join(folder, 'whole');
    await writeWhole(path, 'one');
    await writeWhole(path, 'two');
    expect(readFileSync(path, 'utf8')).toBe('two');
    rmSync(path);
    await expect(writeWhole(join(folder, 'no', 'such'), 'x')).rejects.toThrow();
    expect(existsSync(join(folder, 'no'))).toBe(false);
  });
});
