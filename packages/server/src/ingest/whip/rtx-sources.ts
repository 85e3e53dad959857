import { headerExtension, REPAIRED_STREAM_ID_URI, type RtpPacket } from '@onair/media/rtp';
import type { ChosenMedia } from '@onair/media/sdp';

/** Where packets that are sent again may belong: a section, or one of its layers. */
export interface Repaired {
  readonly mid: string;
  /** Name of the layer; undefined for a picture without layers. */
  readonly rid: string | undefined;
}

interface Format<T> {
  readonly mid: string;
  readonly payloadType: number;
  /** Id of the header extension that names the layer; undefined if there is none. */
  readonly extension: number | undefined;
  readonly owners: readonly T[];
}

/**
 * Finds out whose packets come again on a source of their own (RFC 4588). Where there are layers, they say so until the
 * first report has reached the sender (RFC 8852 §3.2), then their source alone tells.
 */
export class RtxSources<T extends Repaired> {
  readonly #formats: readonly Format<T>[];
  /** By source; no more than there are owners. */
  readonly #known = new Map<number, T>();

  constructor(chosen: readonly ChosenMedia[], all: readonly T[]) {
    this.#formats = chosen.flatMap(({ media: { mid, extensions }, rtx }) => {
      if (rtx === undefined) return [];
      const extension = extensions.get(REPAIRED_STREAM_ID_URI);
      const owners = all.filter((one) => one.mid === mid);
      return [{ mid, payloadType: rtx.payloadType, extension, owners }];
    });
  }

  /** True if a packet repeats another one, by its format. */
  has(mid: string, { payloadType }: RtpPacket): boolean {
    return this.#formats.some((one) => one.mid === mid && one.payloadType === payloadType);
  }

  /** Of whom a packet is that {@link has} is true of; undefined if it does not say. @param bytes the whole packet. */
  ownerOf(mid: string, { payloadType, ssrc }: RtpPacket, bytes: Uint8Array): T | undefined {
    const format = this.#formats.find((one) => one.mid === mid && one.payloadType === payloadType);
    if (format === undefined) return undefined;
    if (format.owners.length === 1) return format.owners[0];
    const known = this.#known.get(ssrc);
    if (known !== undefined || format.extension === undefined) return known;
    const rid = textOf(headerExtension(bytes, format.extension));
    const owner = format.owners.find((one) => one.rid === rid);
    if (owner === undefined || rid === undefined) return undefined;
    for (const [source, other] of this.#known) if (other === owner) this.#known.delete(source);
    this.#known.set(ssrc, owner);
    return owner;
  }
}

/** Names of layers are ASCII. RFC 8852 §3.1. */
export function textOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : String.fromCharCode(...bytes);
}
