export { browserPlatform } from '@onair/client/engine';
export { FilePlayer } from '@onair/client/file';
