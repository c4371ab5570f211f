/**
 * The effective configuration for people: each value as its user would write it, with its origin. Secrets never appear:
 * of them only that they are set is known.
 */
import type { Config } from "./config.ts";
import { originText, type Origin } from "./origin.ts";
import { FIELDS, RULE_FIELDS, type SettingField, type SettingKey } from "./schema.ts";
import { environmentName, yamlKey } from "./setting.ts";

export interface EffectiveSetting {
  /** `SLUICE_PART_SIZE`; of a watch: `watch <name>`, or `watch <name>: idle_timeout` for a rule of its own. */
  name: string;
  /** The section of the reference page. */
  group: string;
  /** Absent: not set. */
  value?: string;
  /** The kind of source, with the path of a file; for a value that is absent, what is done without it. */
  origin: string;
}

interface Loaded {
  config: Config;
  sources: Readonly<Record<SettingKey, Origin>>;
}

/** What is shown instead of a secret. */
const SECRET_IS_SET = "set";

/** Every setting but those of the dashboard, and the watches with the rules of their own. */
export function effectiveOfWorker(loaded: Loaded): EffectiveSetting[] {
  const keys = FIELDS.filter(({ key, meta }) => key !== "watch" && meta.group !== "The dashboard");
  return [...effectiveSettings(loaded, new Set(keys.map(({ key }) => key))), ...watchSettings(loaded)];
}

/** In the schema's order. */
export function effectiveSettings(loaded: Loaded, keys: ReadonlySet<SettingKey>): EffectiveSetting[] {
  return FIELDS.filter(({ key }) => keys.has(key)).map((field) => {
    const { meta, key } = field;
    const value = valueText(field, valueOf(loaded.config, key), () => SECRET_IS_SET);
    return {
      name: environmentName(meta.name),
      group: meta.group,
      ...(value === undefined ? {} : { value }),
      origin: effectiveOrigin(field, loaded.sources[key], value),
    };
  });
}

/** Without a value, the effective value is named instead of the reason for the default. */
export function effectiveOrigin({ meta }: SettingField, origin: Origin, value: string | undefined): string {
  const instead = value === undefined ? meta.computed : undefined;
  return instead === undefined ? originText(origin) : `default: ${instead}`;
}

/** As the user would write it; empty texts and lists become "". Undefined: not set. */
export function valueText(
  { meta }: SettingField,
  value: unknown,
  secretText: (value: unknown) => string,
): string | undefined {
  if (value === undefined) return undefined;
  if (meta.secret) return secretText(value);
  return meta.format(value) || '""';
}

export function valueOf(config: Config, key: SettingKey): unknown {
  return key in config ? config[key as keyof Config] : undefined;
}

/** Each watch with its directory, and the rules that it sets for itself. */
function watchSettings({ config, sources }: Loaded): EffectiveSetting[] {
  const group = "What is watched";
  return config.watches.flatMap((watch) => {
    const name = `watch ${watch.name}`;
    const at = watch.own?.at;
    return [
      { name, group, value: watch.root, origin: at ?? originText(sources.watch) },
      { name: `${name}: key_prefix`, group, value: watch.keyPrefix || '""', origin: "computed" },
      ...RULE_FIELDS.filter(({ key }) => watch.own?.rules.includes(key) ?? false).map((field) => ({
        name: `${name}: ${yamlKey(field.meta.name)}`,
        group,
        value: valueText(field, watch[field.key], () => SECRET_IS_SET) ?? "not set",
        origin: at ?? "file",
      })),
    ];
  });
}
