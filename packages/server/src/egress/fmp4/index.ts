export * from './fmp4-http.ts';
