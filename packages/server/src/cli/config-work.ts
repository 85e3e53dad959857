import { stringify } from 'yaml';
import { loadConfig, withoutSecrets } from '../config/index.ts';
import { type CommonFlags, configSources } from './settings.ts';

/** Says that the configuration is fine. @throws ConfigError if it is not. */
export function checkConfig(flags: CommonFlags): string {
  const sources = configSources(flags);
  loadConfig(sources);
  return `${sources.file ?? 'the configuration'} is fine\n`;
}

/** Every key with the value in force, as YAML; secrets are blanked. */
export function showConfig(flags: CommonFlags): string {
  return stringify(withoutSecrets(loadConfig(configSources(flags))));
}
