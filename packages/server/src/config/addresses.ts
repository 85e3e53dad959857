import type { Config } from './schema.ts';

/** Address that the HTTP listener binds to; `::` is every address. */
export function httpHost(config: Config): string {
  return config.http.host ?? config.host ?? '::';
}

/** Address that the RTMP listener binds to; `::` is every address. */
export function rtmpHost(config: Config): string {
  return config.rtmp.host ?? config.host ?? '::';
}

/** True if the operator's routes answer other machines. */
export function adminRemote(config: Config): boolean {
  return config.admin.remote ?? (config.host !== undefined || config.http.host !== undefined);
}
