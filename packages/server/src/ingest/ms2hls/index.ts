export { registerMs2hlsRoutes } from './ms2hls-routes.ts';
