/** An `a=` line. */
export interface SdpAttribute {
  readonly name: string;
  /** What stands behind the colon; undefined for a property attribute. */
  readonly value: string | undefined;
}

/** One `m=` section. RFC 8866 §5.14. */
export interface SdpMedia {
  /** `audio`, `video`, `application` … */
  readonly kind: string;
  readonly port: number;
  /** e.g. `UDP/TLS/RTP/SAVPF`. */
  readonly protocol: string;
  readonly formats: readonly string[];
  readonly attributes: readonly SdpAttribute[];
}

/** A session description. Lines other than `a=` and `m=` are checked, but not kept. */
export interface Sdp {
  readonly attributes: readonly SdpAttribute[];
  readonly media: readonly SdpMedia[];
}

/** The value of the first attribute of a name; `''` for one without value, undefined if there is none. */
export function attribute(
  of: { readonly attributes: readonly SdpAttribute[] },
  name: string,
): string | undefined {
  const found = of.attributes.find((one) => one.name === name);
  return found === undefined ? undefined : (found.value ?? '');
}

/** The values of all attributes of a name. */
export function attributes(of: { readonly attributes: readonly SdpAttribute[] }, name: string): string[] {
  return of.attributes.filter((one) => one.name === name).map((one) => one.value ?? '');
}
