// Takes the types out of application scripts in TypeScript, in the thread of module hooks, where Node does not do it by
// itself: before 22.18 and 23.6. Types that can simply be erased, as in this project; positions stay what they are.
import { readFile } from 'node:fs/promises';
import module from 'node:module';
import { fileURLToPath } from 'node:url';

const TYPESCRIPT = /^file:.*\.m?ts$/;
let strip;

/** What takes the types out: Node's own, from 22.13 on, or that from which Node has it. */
async function stripper() {
  if (typeof module.stripTypeScriptTypes === 'function') return (text) => module.stripTypeScriptTypes(text);
  const { default: swc } = await import('@swc/wasm-typescript');
  return (text, filename) => swc.transformSync(text, { mode: 'strip-only', module: true, filename }).code;
}

export async function load(url, context, next) {
  if (!TYPESCRIPT.test(url)) return await next(url, context);
  strip ??= stripper();
  const take = await strip;
  const path = fileURLToPath(url);
  const text = await readFile(path, 'utf8');
  try {
    return { format: 'module', source: take(text, path), shortCircuit: true };
  } catch (error) {
    if (error instanceof Error) throw error;
    throw new SyntaxError(`${path}:${error.startLine}: ${error.message}`);
  }
}
