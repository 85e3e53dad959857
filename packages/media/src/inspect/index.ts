export { MAX_COURSE_VALUES } from './course.ts';
export type { InspectHandler } from './inquiry.ts';
export * from './inspect.ts';
export * from './model.ts';
export * from './sentences.ts';
export * from './text.ts';
