import { ERROR_CODES, type ErrorCode, isErrorCode } from './codes.ts';

/** Media type of a problem document (RFC 9457 §3). */
export const PROBLEM_TYPE = 'application/problem+json';

/** A fault in one field of a request, a message or the configuration. */
export interface FieldFault {
  /** Path of the field, dots between names, `[0]` for places in a list; empty for the whole. */
  readonly path: string;
  /** What may stand there. */
  readonly expected: string;
  /** What stood there, shortened; secrets are never repeated. */
  readonly received: string;
}

/** Problem document (RFC 9457): the body of every HTTP error. */
export interface Problem {
  /** Address that describes the kind of error (RFC 9457 §3.1.1); relative to the server's root. */
  readonly type: string;
  readonly title: string;
  /** HTTP status, repeated. */
  readonly status: number;
  /** What happened this time, for a person. */
  readonly detail?: string;
  /** Names this occurrence: `urn:onair:request:ID`; the log has the same id. */
  readonly instance?: string;
  /** The stable code, for a program. */
  readonly code: ErrorCode;
  /** Faulty fields, with code `INVALID_FIELD`. */
  readonly errors?: readonly FieldFault[];
}

/** What a problem document tells beyond its code. */
export interface ProblemDetails {
  readonly detail?: string;
  readonly instance?: string;
  readonly errors?: readonly FieldFault[];
}

/** The problem document for a code. */
export function problem(code: ErrorCode, more: ProblemDetails = {}): Problem {
  const { status, title } = ERROR_CODES[code];
  return { type: `/api/v1/errors/${code}`, title, status, code, ...more };
}

/** Reads a problem document; undefined if `value` is none. Fields of a wrong kind are left out. */
export function readProblem(value: unknown): Problem | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = value as Record<string, unknown>;
  if (!isErrorCode(fields.code)) return undefined;
  const errors = Array.isArray(fields.errors) ? fields.errors.filter(isFieldFault) : undefined;
  return problem(fields.code, {
    ...(typeof fields.detail === 'string' ? { detail: fields.detail } : {}),
    ...(typeof fields.instance === 'string' ? { instance: fields.instance } : {}),
    ...(errors === undefined ? {} : { errors }),
  });
}

function isFieldFault(value: unknown): value is FieldFault {
  if (typeof value !== 'object' || value === null) return false;
  const { path, expected, received } = value as Record<string, unknown>;
  return typeof path === 'string' && typeof expected === 'string' && typeof received === 'string';
}
