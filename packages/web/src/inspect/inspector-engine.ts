// The readers of all formats, which are fetched when the first file is opened.
export { inspect } from '@onair/media/inspect';
