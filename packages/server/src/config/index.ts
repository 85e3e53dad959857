export * from './addresses.ts';
export { type ConfigChange, planChange } from './changes.ts';
export { ConfigError, type ConfigFault, faultText } from './faults.ts';
export { type Assignment, ENVIRONMENT, MAX_CONFIG_BYTES } from './layers.ts';
export { buildConfig, type ConfigSources, loadConfig, validate, withoutSecrets } from './load.ts';
export { configPage } from './page.ts';
export { type Config, configSchema } from './schema.ts';
export { isAddressRange } from './sections/address-range.ts';
export { type ConfigListener, ConfigStore } from './store.ts';
