export { type PublishGate, problemOf, registerUploadRoutes } from './upload-routes.ts';
export { type UploadDeps, Uploads } from './uploads.ts';
