import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundaryOf, readForm } from './multipart.ts';

async function encode(
  parts: readonly (readonly [name: string, file: string, bytes: Uint8Array])[],
): Promise<[Buffer, string]> {
  const form = new FormData();
  for (const [name, file, bytes] of parts)
    form.append(name, new Blob([bytes as Uint8Array<ArrayBuffer>]), file);
  const request = new Request('http://x/', { method: 'POST', body: form });
  return [Buffer.from(await request.arrayBuffer()), boundaryOf(request.headers.get('content-type')!)!];
}

describe('readForm', () => {
  it('reads what fetch sends, whatever the content', async () => {
    const file = fc.uint8Array({ maxLength: 300 });
    await fc.assert(
      fc.asyncProperty(fc.array(file, { minLength: 1, maxLength: 4 }), async (files) => {
        const [body, boundary] = await encode(files.map((bytes, i) => ['webm', `${i}.webm`, bytes]));
        const parts = readForm(body, boundary);
        expect(parts?.map(({ name, fileName }) => `${name} ${fileName}`)).toEqual(
          files.map((_, i) => `webm ${i}.webm`),
        );
        expect(parts?.map(({ bytes }) => [...bytes])).toEqual(files.map((bytes) => [...bytes]));
      }),
      { numRuns: 40 },
    );
  });

  it('tells plain fields from files, and takes a preamble', () => {
    const body = Buffer.from(
      'ignored\r\n--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--b  \r\ncontent-disposition: form-data; name="f"; filename=""\r\n\r\n\r\n--b--\r\n',
    );
    expect(readForm(body, 'b')?.map(({ name, fileName, bytes }) => [name, fileName, String(bytes)])).toEqual([
      ['a', undefined, '1'],
      ['f', '', ''],
    ]);
  });

  it('refuses what is cut off anywhere, and whatever is no form', async () => {
    const [body, boundary] = await encode([['webm', '1.webm', Uint8Array.of(1, 2, 3)]]);
    for (let end = 0; end < body.length - 4; end++) {
      expect(readForm(body.subarray(0, end), boundary)).toBeUndefined();
    }
    expect(readForm(Buffer.from('--b\r\n\r\n\r\nx\r\n--b--'), 'b')).toBeUndefined();
    expect(boundaryOf('multipart/form-data')).toBeUndefined();
    expect(boundaryOf('text/plain; boundary=x')).toBeUndefined();
    expect(boundaryOf('multipart/form-data; boundary="a b"')).toBe('a b');
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void readForm(Buffer.from(bytes), 'b')));
  });
});
