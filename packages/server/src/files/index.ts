export { FileSender, type FileSink } from './file-sender.ts';
export { handleSource } from './file-source.ts';
export { registerFiles } from './register-files.ts';
export { FileShelf } from './shelf.ts';
