export * from './ports.ts';
export { apiDocument, registerApi } from './register.ts';
