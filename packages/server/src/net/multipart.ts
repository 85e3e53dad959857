/** Most parts that are looked at. */
const MAX_PARTS = 32;
/** Longest head of a part, in octets. */
const MAX_HEAD = 4096;

/** One field of a form that was sent as `multipart/form-data`. */
export interface FormPart {
  readonly name: string;
  /** Undefined for a field that is no file. */
  readonly fileName: string | undefined;
  /** A view into the body. */
  readonly bytes: Buffer;
}

/** The boundary that a `Content-Type` names; undefined if it is no form of that kind. RFC 7578 §4.1. */
export function boundaryOf(contentType: string | undefined): string | undefined {
  const match = /^multipart\/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70}))/i.exec(
    contentType ?? '',
  );
  return match?.[1] ?? match?.[2];
}

/**
 * The parts of a whole body, RFC 2046 §5.1.1. Undefined if it is not a form with this boundary, is cut off, or has
 * more parts or longer heads than any real one.
 */
export function readForm(body: Buffer, boundary: string): FormPart[] | undefined {
  const mark = Buffer.from(`\r\n--${boundary}`, 'latin1');
  // The first delimiter may stand at the very beginning, without a line end in front.
  const start = body.subarray(0, mark.length - 2).equals(mark.subarray(2)) ? 0 : body.indexOf(mark) + 2;
  if (start === 1) return undefined;
  const parts: FormPart[] = [];
  let at = start + mark.length - 2;
  for (;;) {
    if (body[at] === 0x2d && body[at + 1] === 0x2d) return parts;
    if (parts.length >= MAX_PARTS) return undefined;
    const line = body.indexOf('\r\n', at, 'latin1');
    if (line < 0 || body.subarray(at, line).some((byte) => byte !== 0x20 && byte !== 0x09)) return undefined;
    const headEnd = body.indexOf('\r\n\r\n', line, 'latin1');
    if (headEnd < 0 || headEnd - line > MAX_HEAD) return undefined;
    const end = body.indexOf(mark, headEnd + 2);
    if (end < 0) return undefined;
    const head = body.toString('utf8', line + 2, headEnd);
    const disposition = /^content-disposition:\s*form-data\s*;(.*)$/im.exec(head)?.[1];
    const name = parameter(disposition, 'name');
    if (name === undefined) return undefined;
    const from = Math.min(headEnd + 4, end);
    parts.push({ name, fileName: parameter(disposition, 'filename'), bytes: body.subarray(from, end) });
    at = end + mark.length;
  }
}

function parameter(disposition: string | undefined, name: string): string | undefined {
  const match = new RegExp(`(?:^|;)\\s*${name}=(?:"([^"]{0,255})"|([^\\s;"]{1,255}))`, 'i').exec(
    disposition ?? '',
  );
  return match?.[1] ?? match?.[2];
}
