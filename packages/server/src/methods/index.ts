export * from './register.ts';
