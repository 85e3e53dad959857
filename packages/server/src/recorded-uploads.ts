import { join } from 'node:path';
import type { StreamName } from '@onair/media';
import type { PublishGuard } from './auth/index.ts';
import type { Config } from './config/index.ts';
import { DiskSync } from './disk/index.ts';
import type { RecordingArchive } from './egress/rtmp/index.ts';
import type { PackagerKind } from './hub/index.ts';
import { type SessionTable, type Stream, type StreamRegistry, systemClock } from './hub/index.ts';
import { registerMs2hlsRoutes } from './ingest/ms2hls/index.ts';
import { registerUploadRoutes, Uploads } from './ingest/upload/index.ts';
import type { HttpServer } from './net/index.ts';
import type { Logger } from './observe/index.ts';
import type { CmafPackager } from './packager/cmaf/index.ts';
import { type OrderAnswer, Recordings, type RecordingView } from './record/index.ts';
import { type PictureSettings, turnPictures } from './transcode/index.ts';
import { openRecordedMedia, type PictureTurner, registerVodRoutes } from './vod/index.ts';

/** What recordings and uploads are joined with. */
export interface RecordedUploadsDeps {
  readonly config: () => Config;
  readonly logger: Logger;
  readonly registry: StreamRegistry;
  readonly sessions: SessionTable;
  readonly guard: PublishGuard;
  readonly cmaf: PackagerKind<CmafPackager>;
  readonly http: HttpServer;
  /** True for a live stream that somebody wants recorded, whatever the settings say. */
  records(stream: StreamName): boolean;
  /** Told of every recording that has begun. @param file its first file. */
  started(stream: StreamName, file: string): void;
  /** Told of every recording that is finished. */
  finished(recording: RecordingView): void;
}

/** What the others need of recordings. */
export interface RecordedUploads {
  /** For players by RTMP. */
  readonly archive: RecordingArchive;
  /** Begins or ends the recording of a stream if `records` says something else than before. */
  reconsider(stream: StreamName): void;
  /** Begins or ends the recording of a live stream by order, until the stream ends. */
  order(stream: StreamName, on: boolean): OrderAnswer;
  /** Leaves everything on the disk. */
  close(): Promise<void>;
}

/**
 * Joins what makes recordings, plays them back and takes uploads, and begins to recover what a restart interrupted.
 */
export function registerRecordedUploads(deps: RecordedUploadsDeps): RecordedUploads {
  const { config, logger, registry, sessions, guard, cmaf, http } = deps;
  const { data, upload } = config();
  const log = (message: string, fields: Readonly<Record<string, unknown>>): void =>
    logger.info(fields, message);
  const sync = new DiskSync({
    failed: (path, err) => logger.error({ err, path }, 'the disk takes nothing; trying again each second'),
    recovered: (path) => logger.warn({ path }, 'the disk takes everything again'),
  });
  const recordings = new Recordings({
    registry,
    clock: systemClock,
    kind: cmaf,
    sync,
    folder: join(data, 'recordings'),
    wanted: (stream) => isWanted(stream, config().record.streams) || deps.records(stream.name),
    started: (stream, file) => deps.started(stream, file),
    finished: (recording) => deps.finished(recording),
    log,
  });
  const endVod = registerVodRoutes(
    http,
    recordings,
    pictureTurner(() => config().transcode),
  );
  const archive: RecordingArchive = { open: (stream) => openRecordedMedia(recordings, stream) };
  const reconsider = (stream: StreamName): void => recordings.reconsider(stream);
  const order = (stream: StreamName, on: boolean): OrderAnswer => recordings.order(stream, on);
  if (!upload.enabled) {
    void recordings.recover(new Set());
    const close = async (): Promise<void> => {
      endVod();
      await recordings.close();
      sync.close();
    };
    return { archive, reconsider, order, close };
  }
  const uploads = new Uploads(
    {
      registry,
      sessions,
      recordings,
      sync,
      clock: systemClock,
      folder: join(data, 'uploads'),
      limits: () => config().upload,
      log,
    },
    (streams: ReadonlySet<StreamName>) => recordings.recover(streams),
  );
  const common = { uploads, gate: guard, http: () => config().http };
  registerUploadRoutes(http, common);
  const chunks = registerMs2hlsRoutes(http, {
    ...common,
    clock: systemClock,
    settings: () => ({ ...config().upload, anyOrigin: config().compat }),
    log,
  });
  const close = async (): Promise<void> => {
    endVod();
    await chunks.close();
    await uploads.close();
    await recordings.close();
    sync.close();
  };
  return { archive, reconsider, order, close };
}

/** Turns pictures of recordings by the same program as those of streams. */
function pictureTurner(settings: () => PictureSettings): PictureTurner {
  return {
    get program(): string | undefined {
      const { enabled, program } = settings();
      return enabled ? program : undefined;
    },
    turn: (batch) => turnPictures({ ...batch, to: 'h264', program: settings().program }),
  };
}

function isWanted(stream: Stream, which: Config['record']['streams']): boolean {
  if (which !== 'uploads') return which === 'all';
  return stream.publication?.publisher.protocol === 'upload';
}
