import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** How long the program may take to tell, in milliseconds. */
const LOOK_MS = 10_000;

/** True if `program` is an ffmpeg that is there and has this encoder. */
export async function hasEncoder(program: string, encoder: string): Promise<boolean> {
  const child = spawn(program, ['-v', 'error', '-h', `encoder=${encoder}`], {
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: LOOK_MS,
  });
  let text = '';
  child.stdout.on('data', (part) => {
    text = (text + String(part)).slice(0, 4096);
  });
  const [code] = await once(child, 'close').catch(() => [1]);
  return code === 0 && text.includes(encoder);
}
