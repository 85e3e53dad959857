export * from './tag-format.ts';
export * from './tag-packager.ts';
