export * from './answer.ts';
export * from './choose.ts';
export * from './fragment.ts';
export * from './model.ts';
export * from './offer.ts';
export * from './parse.ts';
export * from './write.ts';
