export * from './ts-routes.ts';
