/** axe with all its rules, and that of WCAG 2.2 AA: what is serious or critical, each with the element it is about. */
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";

export async function grave(page: Page): Promise<string[]> {
  // No page has frames of another origin, so the result needs no page of its own; of what passes, nodes are not listed.
  const axe = new AxeBuilder({ page }).setLegacyMode().options({
    resultTypes: ["violations"],
    // The one rule of WCAG 2.2 AA, which axe leaves out unless it is asked for.
    rules: { "target-size": { enabled: true } },
  });
  const { violations } = await axe.analyze();
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) =>
      nodes.map(
        (node) =>
          `${id}: ${node.html.slice(0, 160)} ${node.failureSummary?.split("\n").slice(1, 2).join("") ?? ""}`,
      ),
    );
}
