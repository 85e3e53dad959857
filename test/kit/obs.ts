import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Child } from './child.ts';
import { makeFile } from './publisher.ts';
import type { Scope } from './scope.ts';
import { openScreen } from './screen.ts';

/** OBS Studio, if it is there: on the path, or where the environment variable `ONAIR_OBS` says. */
export const OBS = (
  process.env.ONAIR_OBS === undefined
    ? (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'obs'))
    : [process.env.ONAIR_OBS]
).find((path) => existsSync(path));

/** What OBS sends, and where to. */
export interface ObsOptions {
  /** `rtmp://HOST:PORT/APP`. */
  readonly server: string;
  /** Stream key. */
  readonly key: string;
  readonly width: number;
  readonly height: number;
  /** Pictures per second; those OBS offers. */
  readonly fps: 30 | 60;
}

/**
 * Starts OBS on a screen of its own, as a person has set it up: a profile with our server as a custom service, a
 * scene with a film that goes round; it begins to stream by itself. The scope ends it.
 */
export async function startObs(scope: Scope, options: ObsOptions): Promise<Child> {
  if (OBS === undefined) throw new Error('OBS is not installed');
  const home = scope.tempDir('onair-obs-');
  const film = join(home, 'film.mp4');
  const size = `${options.width}x${options.height}`;
  await makeFile({ url: film, size, fps: options.fps, seconds: 4, format: 'mp4' });
  writeSettings(home, film, options);
  const display = await openScreen(scope);
  return scope.own(
    new Child(
      'obs',
      OBS,
      [
        '--multi',
        '--disable-updater',
        '--disable-shutdown-check',
        '--disable-missing-files-check',
        '--profile',
        'onair',
        '--collection',
        'onair',
        '--startstreaming',
      ],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: {
          PATH: process.env.PATH,
          HOME: home,
          XDG_CONFIG_HOME: home,
          XDG_RUNTIME_DIR: home,
          DISPLAY: display,
          QT_QPA_PLATFORM: 'xcb',
          LIBGL_ALWAYS_SOFTWARE: '1',
          NO_AT_BRIDGE: '1',
          LANG: 'C.UTF-8',
        },
      },
    ),
  );
}

/** The files in which OBS keeps what its settings pages ask. */
function writeSettings(home: string, film: string, { server, key, width, height, fps }: ObsOptions): void {
  const write = (path: string, content: string | object): void => {
    const file = join(home, 'obs-studio', path);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  };
  write(
    'global.ini',
    ini({ General: { FirstRun: 'true', LastVersion: '486539266', EnableAutoUpdates: 'false' } }),
  );
  write(
    'basic/profiles/onair/basic.ini',
    ini({
      General: { Name: 'onair' },
      Output: { Mode: 'Simple' },
      SimpleOutput: { StreamEncoder: 'x264', Preset: 'ultrafast', VBitrate: '800', ABitrate: '128' },
      Video: {
        BaseCX: width,
        BaseCY: height,
        OutputCX: width,
        OutputCY: height,
        FPSType: 0,
        FPSCommon: fps,
      },
      Audio: { SampleRate: 48000, ChannelSetup: 'Stereo' },
    }),
  );
  write('basic/profiles/onair/service.json', {
    type: 'rtmp_custom',
    settings: { server, key, use_auth: false, bwtest: false },
  });
  write('basic/scenes/onair.json', {
    name: 'onair',
    current_scene: 'Scene',
    current_program_scene: 'Scene',
    scene_order: [{ name: 'Scene' }],
    sources: [
      {
        id: 'scene',
        name: 'Scene',
        settings: { items: [{ name: 'Film', id: 1, visible: true }], id_counter: 1 },
      },
      {
        id: 'ffmpeg_source',
        name: 'Film',
        mixers: 255,
        volume: 1,
        settings: { local_file: film, looping: true, hw_decode: false },
      },
    ],
  });
}

function ini(sections: Readonly<Record<string, Readonly<Record<string, string | number>>>>): string {
  return Object.entries(sections)
    .map(
      ([name, values]) =>
        `[${name}]\n${Object.entries(values)
          .map(([k, v]) => `${k}=${v}\n`)
          .join('')}`,
    )
    .join('\n');
}
