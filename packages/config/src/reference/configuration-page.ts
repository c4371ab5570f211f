/** `docs/reference/configuration.md`, generated from the schema, so that each setting is described in one place. */
import { FIELDS, RULE_FIELDS, type SettingField } from "../schema.ts";
import { environmentName, flagName, GROUPS, yamlKey } from "../setting.ts";

export function configurationPage(): string {
  const sections = GROUPS.map((group) =>
    section(
      group,
      FIELDS.filter(({ meta }) => meta.group === group),
    ),
  );
  return `${[INTRODUCTION, ...sections, WATCHES, CREDENTIALS].join("\n\n")}\n`;
}

function section(group: string, fields: readonly SettingField[]): string {
  const rows = fields.map(row);
  return [`## ${group}`, "", "| setting | takes | default | meaning |", "|---|---|---|---|", ...rows].join(
    "\n",
  );
}

function row({ key, meta }: SettingField): string {
  const marks = [
    RULE_FIELDS.some((rule) => rule.key === key) ? "Per watch." : "",
    meta.secret ? `Secret; also \`${environmentName(meta.name)}_FILE\`.` : "",
  ].filter((mark) => mark !== "");
  const fallback = meta.initial === undefined ? plain(meta.computed ?? "not set") : code(meta.initial);
  const cells = [
    `\`${environmentName(meta.name)}\``,
    meta.allowed,
    fallback,
    [meta.about, ...marks].join(" "),
  ];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

/** Escapes Markdown's own characters. */
function plain(text: string): string {
  return text.replaceAll(/[*_<>]/g, (character) => `\\${character}`);
}

function code(text: string): string {
  return text === "" ? "empty" : `\`${text}\``;
}

const EXAMPLE = "PART_SIZE";

const INTRODUCTION = `# Configuration

This page is made from the schema that checks the settings (\`pnpm --filter @sluice/config run reference\`); do not edit it.

Every setting has one name in four spellings: \`--${flagName(EXAMPLE)} 16MiB\` on the command line,
\`${environmentName(EXAMPLE)}=16MiB\` in the environment, \`${yamlKey(EXAMPLE)}: 16MiB\` in the file, and for secrets
the path of the file that holds it: \`--web-password-file\`, \`${environmentName("WEB_PASSWORD")}_FILE\` or
\`web_password_file:\` (relative to that file). Where several are given, the flag wins, then the environment,
then the secret's file, then \`sluice.yaml\`, then the default. The file is \`./sluice.yaml\`, or the one that
\`SLUICE_CONFIG\` names; \`docs/reference/sluice.schema.json\` lets editors check it. A secret itself has no flag: a command line can be
read by every user of the machine.

Sizes read \`8MiB\`, \`1.5GiB\`, \`500MB\`; durations \`500ms\`, \`30s\`, \`1h30m\`, \`7d\`; switches \`true\` or \`false\`
(also \`on\`, \`yes\`, \`1\` and their opposites). An empty variable counts as not set, except where empty is listed as a
value. Wrong values and misspelt names stop the start: exit code 78, with a list of every problem, before anything is
touched. \`sluice config validate\` says the same without starting, and
\`sluice config print\` shows every value and where it came from, without the secrets; what is wrong is marked, and
the rest is shown all the same.`;

const WATCHES = `## Watches and their rules

A watch is a directory with its rules. One or several can be listed in \`SLUICE_WATCH\`, as \`path\` or \`name=path\`.
The rules of a watch are set in the file; a rule that is not set there has the value of the setting of the same name.

\`\`\`yaml
s3_bucket: recordings
watches:
  - path: /data/cameras
    include: "*.mp4,*.mkv"
    idle_timeout: 2m
    after_upload: delete
  - name: audio
    path: /data/microphones
    key_prefix: sound/
    verify: edges
\`\`\`

${["`name`", "`path`", "`key_prefix`", ...RULE_FIELDS.map(({ meta }) => `\`${yamlKey(meta.name)}\``)].join(", ")} may be set
in a watch; a relative path is relative to the file. If \`SLUICE_WATCH\` is set, it lists the watched directories,
and the file's entries of the same name or path give their rules.

An object's key is \`<SLUICE_S3_KEY_PREFIX><watch prefix><path below the watch>\`. The watch prefix is empty with one
watch and \`<name>/\` with several, unless \`key_prefix\` says otherwise. Refused at start: two watches with the same
whole prefix, a watch inside another, and a \`move:\` directory inside a watch.`;

const CREDENTIALS = `## Credentials of the store

They come from the AWS SDK's own chain: \`AWS_ACCESS_KEY_ID\` and \`AWS_SECRET_ACCESS_KEY\`, a profile, a container's or an
instance's role, a web identity token. Sluice has no settings for them and never prints them.`;
