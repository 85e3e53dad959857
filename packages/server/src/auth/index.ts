export * from './admin-guard.ts';
export * from './admin-token.ts';
export * from './attempt-limiter.ts';
export { DEMO_USER, MAX_ACCOUNT_LENGTH } from './demo-account.ts';
export * from './encoder-challenge.ts';
export * from './key-store.ts';
export * from './publish-guard.ts';
export { hashSecret, newSecret } from './secrets.ts';
export { SignIns } from './sign-ins.ts';
