/** The probe's questions as docs/stores.md lists them. */
import { QUESTIONS } from "../src/probe.ts";

const BEGIN = "<!-- Made by `pnpm --filter @sluice/s3-store run docs:questions`. Do not edit this table. -->";
const END = "<!-- end of the questions -->";

export function questionsTable(): string {
  const rows = QUESTIONS.map(({ name, asks, reads, decides }) => [
    name,
    asks,
    reads,
    decides.length === 0
      ? "whether the store can be used"
      : decides.map((field) => `\`${field}\``).join(", "),
  ]);
  const head = ["question", "what is asked", "how the answer is read", "decides"];
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

/** The page with today's table between its two marks. */
export function withQuestions(page: string): string {
  const [before, rest = ""] = page.split(BEGIN);
  const [, after] = rest.split(END);
  if (after === undefined) throw new Error(`the page has no place for the questions: ${BEGIN} … ${END}`);
  return `${before}${BEGIN}\n\n${questionsTable()}\n\n${END}${after}`;
}
