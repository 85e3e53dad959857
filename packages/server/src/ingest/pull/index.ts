export * from './demand-pulls.ts';
export { openHttpSource } from './http-source.ts';
export { LiveProxies, type ProxyLimits, registerLiveProxies } from './live-proxies.ts';
export * from './pull-set.ts';
export { openRtmpSource } from './rtmp-source.ts';
export * from './source.ts';
export * from './stream-pull.ts';
