export { type PublishGate, registerUploadRoutes } from './upload-routes.ts';
export { type UploadDeps, Uploads } from './uploads.ts';
