export { DEMO_FRAME_RATES, type DemoHandle, type DemoOptions, DemoSource } from './demo-source.ts';
