export * from './dash-routes.ts';
