/** Completion scripts for shells, made from the definitions that parse the command line. */
import type { Command } from "commander";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

interface Point {
  /** For example `orphans clean`; empty for the program itself. */
  path: string;
  /** Commands and words that may follow. */
  words: readonly { word: string; about: string }[];
  options: readonly { long: string; about: string; choices: readonly string[] }[];
}

export function completionScript(program: Command, shell: Shell): string {
  const points = pointsOf(program);
  return shell === "fish" ? fish(points) : bash(points, shell);
}

function pointsOf(command: Command, path = ""): Point[] {
  const help = command.createHelp();
  const commands = help.visibleCommands(command);
  const choices = command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices);
  const point: Point = {
    path,
    words: [
      ...commands.map((one) => ({ word: one.name(), about: one.summary() || one.description() })),
      ...choices.map((word) => ({ word, about: "" })),
    ],
    options: help.visibleOptions(command).flatMap(({ long, description, argChoices = [] }) => {
      return long ? [{ long, about: description, choices: argChoices }] : [];
    }),
  };
  const below = commands.filter((one) => one.name() !== "help");
  return [point, ...below.flatMap((one) => pointsOf(one, `${path} ${one.name()}`.trim()))];
}

function bash(points: readonly Point[], shell: "bash" | "zsh"): string {
  const cases = points.map(({ path, words, options }) => {
    const all = [...words.map(({ word }) => word), ...options.map(({ long }) => long)];
    return `    "${path}") words="${all.join(" ")}" ;;`;
  });
  const values = points.flatMap(({ path, options }) =>
    options
      .filter(({ choices }) => choices.length > 0)
      .map(({ long, choices }) => `    "${path} ${long}") words="${choices.join(" ")}" ;;`),
  );
  const steps = points
    .filter(({ path }) => path !== "")
    .map(({ path }) => `"${path.includes(" ") ? path.replace(" ", "/") : `/${path}`}"`);
  return `${shell === "zsh" ? "autoload -U +X bashcompinit && bashcompinit\n" : ""}_sluice() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path="" words="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path/$word" in
    ${steps.join("|")}) path="\${path:+$path }$word" ;;
    esac
  done
  case "$path $previous" in
${values.join("\n")}
  esac
  if [ -z "$words" ]; then
    case "$path" in
${cases.join("\n")}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _sluice sluice
`;
}

function fish(points: readonly Point[]): string {
  return points
    .flatMap(({ path, words, options }) => {
      const [first = "", second] = path.split(" ");
      const below = words.map(({ word }) => word).join(" ");
      const seen =
        path === ""
          ? "__fish_use_subcommand"
          : second === undefined
            ? `__fish_seen_subcommand_from ${first}; and not __fish_seen_subcommand_from ${below || "''"}`
            : `__fish_seen_subcommand_from ${first}; and __fish_seen_subcommand_from ${second}`;
      const on = `complete -c sluice -n ${quoted(seen)}`;
      return [
        ...words.map(({ word, about }) => `${on} -a ${quoted(word)} -d ${quoted(about)}`),
        ...options.map(
          ({ long, about, choices }) =>
            `${on} -l ${long.slice(2)} -d ${quoted(about)}${choices.length > 0 ? ` -x -a ${quoted(choices.join(" "))}` : ""}`,
        ),
      ];
    })
    .join("\n")
    .concat("\n");
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
