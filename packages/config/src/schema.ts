/**
 * THE schema: every setting of worker and dashboard. Flags, variables, YAML keys, docs and JSON Schema are derived from
 * it.
 */
import { z } from "zod";
import { metaOf, type SettingMeta } from "./setting.ts";
import { completionRules } from "./settings/completion.ts";
import { partSettings } from "./settings/parts.ts";
import { redisSettings } from "./settings/redis.ts";
import { s3Settings } from "./settings/s3.ts";
import { watchingRules, watchingSettings } from "./settings/watching.ts";
import { webhookSettings } from "./settings/webhooks.ts";
import { webSettings } from "./settings/web.ts";
import { workerSettings } from "./settings/worker.ts";

/** Rules that a watch in the file may set for itself; the setting of the same name is the default. */
export const ruleSettings = { ...watchingRules, ...completionRules };

export const settingsSchema = z.strictObject({
  ...redisSettings,
  ...watchingSettings,
  ...ruleSettings,
  ...s3Settings,
  ...partSettings,
  ...workerSettings,
  ...webhookSettings,
  ...webSettings,
});

export type Settings = z.output<typeof settingsSchema>;
export type SettingKey = keyof typeof settingsSchema.shape;
export type RuleKey = keyof typeof ruleSettings;
export type Rules = Pick<Settings, RuleKey>;

export interface SettingField {
  key: SettingKey;
  schema: z.ZodType;
  meta: SettingMeta;
}

/** Every setting, in the schema's order. */
export const FIELDS: readonly SettingField[] = Object.entries(settingsSchema.shape).map(([key, schema]) => ({
  // The keys of the shape are the keys of the settings.
  key: key as SettingKey,
  schema,
  meta: metaOf(schema),
}));

export const RULE_FIELDS: readonly (SettingField & { key: RuleKey })[] = FIELDS.filter(isRule);

function isRule(field: SettingField): field is SettingField & { key: RuleKey } {
  return field.key in ruleSettings;
}
