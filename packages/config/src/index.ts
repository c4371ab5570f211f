/**
 * The configuration of worker and dashboard: schema, loader, printer. Imports no SDK, no Redis client and no file
 * watcher.
 */
export type { Config, Role } from "./config.ts";
export { containerSign } from "./container.ts";
export { effectiveOfWorker, effectiveSettings, type EffectiveSetting } from "./effective.ts";
export { loadConfig, readConfig, type ConfigInputs, type LoadedConfig, type ReadConfig } from "./load.ts";
export { originText, type Origin } from "./origin.ts";
export { printConfig } from "./print.ts";
export { ConfigProblems, EXIT_BAD_CONFIG, type ConfigProblem } from "./problems.ts";
export { redacted } from "./redact.ts";
export { configJsonSchema } from "./reference/json-schema.ts";
export { settingsSchema, type RuleKey, type SettingKey, type Settings } from "./schema.ts";
export type { S3Checksum, S3ProfileName, S3Sse } from "./settings/s3.ts";
export type { Polling } from "./settings/watching.ts";
export type { WebAuth } from "./settings/web.ts";
export { flagDefinitions, type FlagDefinition, type Flags } from "./sources/flags.ts";
export { systemInputs } from "./system-inputs.ts";
export type { SpaceWarning } from "./values/scalars.ts";
export { formatDuration, formatSize } from "./values/units.ts";
export { isMetadataAddress } from "./values/metadata-address.ts";
export { pathProblems } from "./watches/collisions.ts";
export type { WatchConfig } from "./watches/watch-config.ts";
