import { until } from './until.ts';
import type { WebPage } from './web-page.ts';

/** Clicks the element with this id. */
export const press = (page: WebPage, id: string): Promise<void> =>
  page.run((button) => document.getElementById(button)!.click(), id);

/** What the page says. */
export const words = (page: WebPage): Promise<string> =>
  page.run(() => document.getElementById('content')!.innerText, null);

/** Where a watcher's page has its picture from. */
export const way = (page: WebPage): Promise<string> =>
  page.run(() => document.getElementById('remote-video')!.dataset.way ?? '', null);

/** Waits until the element's picture has changed some times. */
export async function seesMoving(page: WebPage, id: string, timeoutMs = 40_000): Promise<void> {
  const seen = new Set<string>();
  await until(
    async () => {
      seen.add(
        await page.run((video) => {
          const element = document.getElementById(video) as HTMLVideoElement;
          if (element.videoWidth === 0) return '';
          const canvas = document.createElement('canvas');
          [canvas.width, canvas.height] = [64, 36];
          const drawing = canvas.getContext('2d')!;
          drawing.drawImage(element, 0, 0, 64, 36);
          return String(
            drawing
              .getImageData(0, 0, 64, 36)
              .data.reduce((sum, value, at) => (sum * 31 + value * at) % 1e9, 7),
          );
        }, id),
      );
      seen.delete('');
      return seen.size >= 4;
    },
    { timeoutMs, everyMs: 150, message: () => `${id} moves, ${seen.size} pictures seen` },
  );
}

type Gauge = Window & { gap?: number; emptied?: number };

/** Begins to measure the time between pictures. */
export const watchGaps = (page: WebPage): Promise<void> =>
  page.run(() => {
    const video = document.getElementById('remote-video') as HTMLVideoElement;
    const gauge = window as Gauge;
    Object.assign(gauge, { gap: 0, emptied: 0 });
    let last: number | undefined;
    const seen = (now: number): void => {
      if (last !== undefined) gauge.gap = Math.max(gauge.gap!, now - last);
      last = now;
      video.requestVideoFrameCallback(seen);
    };
    video.requestVideoFrameCallback(seen);
    video.addEventListener('emptied', () => void gauge.emptied!++);
  }, null);

/** The longest time without another picture since {@link watchGaps}, ms, and how often the element was emptied. */
export const gaps = (page: WebPage): Promise<{ gap: number; emptied: number }> =>
  page.run(() => {
    const { gap = 0, emptied = 0 } = window as Gauge;
    return { gap: Math.round(gap), emptied };
  }, null);

/** Says something in the chat. */
export const say = (page: WebPage, text: string): Promise<void> =>
  page.run((said) => {
    const form = document.getElementById('chat-form') as HTMLFormElement;
    (form.elements.namedItem('text') as HTMLInputElement).value = said;
    form.requestSubmit();
  }, text);

/** Waits until each text stands in the page's chat exactly once. */
export async function hears(page: WebPage, texts: readonly string[]): Promise<void> {
  let log: readonly string[] = [];
  await until(
    async () => {
      log = await page.run(
        () => [...document.querySelectorAll('#chat p')].map((item) => item.textContent ?? ''),
        null,
      );
      return texts.every((text) => log.filter((line) => line.endsWith(text)).length === 1);
    },
    { message: () => `${texts} in ${JSON.stringify(log)}` },
  );
}

/** Offers a file of `size` bytes, the one at `i` being `i % 251`. */
export const offerFile = (page: WebPage, name: string, size: number, delivery: string): Promise<void> =>
  page.run(
    ([title, length, how]) => {
      const select = document.getElementById('delivery') as HTMLSelectElement;
      select.value = how;
      select.dispatchEvent(new Event('change', { bubbles: true }));
      const bytes = Uint8Array.from({ length }, (_, i) => i % 251);
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], title));
      const input = document.getElementById('file') as HTMLInputElement;
      input.files = transfer.files;
      input.dispatchEvent(new Event('change', { bubbles: true }));
    },
    [name, size, delivery] as const,
  );

/** Accepts a file, waits until it is there, and returns how many of its bytes are as {@link offerFile} made them. */
export async function takeFile(page: WebPage, name: string): Promise<number> {
  const entry = (which: string): Promise<boolean> =>
    page.run(
      ([title, what]) => {
        const item = [...document.querySelectorAll('#files li')].find((one) =>
          one.textContent?.includes(title),
        );
        const button = item?.querySelector<HTMLButtonElement>(`[data-do=${what}]`);
        if (button === null || button === undefined) return false;
        if (what === 'save') return true;
        button.click();
        return true;
      },
      [name, which] as const,
    );
  await until(() => entry('accept'), { message: `${name} is offered` });
  await until(() => entry('save'), { message: `${name} is there`, timeoutMs: 60_000 });
  return page.run(async (title) => {
    const item = [...document.querySelectorAll('#files li')].find((one) => one.textContent?.includes(title));
    const original = URL.createObjectURL;
    let blob: Blob | undefined;
    URL.createObjectURL = (source) => {
      blob = source as Blob;
      return original.call(URL, source);
    };
    item!.querySelector<HTMLButtonElement>('[data-do=save]')!.click();
    URL.createObjectURL = original;
    const bytes = new Uint8Array(await blob!.arrayBuffer());
    return bytes.reduce((right, byte, i) => right + (byte === i % 251 ? 1 : 0), 0);
  }, name);
}

/** Keeps the page's connections from now on, for {@link candidateTypes}. */
export const keepConnections = (page: WebPage): Promise<void> =>
  page.run(() => {
    const all: RTCPeerConnection[] = [];
    Object.assign(window, { connections: all });
    window.RTCPeerConnection = class extends RTCPeerConnection {
      constructor(settings?: RTCConfiguration) {
        super(settings);
        all.push(this);
      }
    };
  }, null);

/** Types of the candidates over which the page's connections run, such as `relay`. */
export const candidateTypes = (page: WebPage): Promise<string[]> =>
  page.run(async () => {
    const { connections } = window as unknown as { connections: RTCPeerConnection[] };
    const types: string[] = [];
    for (const connection of connections) {
      if (connection.connectionState !== 'connected') continue;
      const reports = new Map<string, Record<string, unknown>>();
      (await connection.getStats()).forEach((report) => {
        reports.set(report.id, report);
      });
      for (const { type, nominated, state, localCandidateId } of reports.values()) {
        if (type !== 'candidate-pair' || nominated !== true || state !== 'succeeded') continue;
        types.push(String(reports.get(String(localCandidateId))?.candidateType));
      }
    }
    return types;
  }, null);
