export * from './formats.ts';
export * from './ntp.ts';
export * from './packet.ts';
export * from './payload-format.ts';
export * from './receive-queue.ts';
export * from './reception.ts';
export * from './rtcp.ts';
export * from './unit-assembler.ts';
