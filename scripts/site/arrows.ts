/**
 * A diagram of the pages, drawn as what it says: for each node the arrows that leave it. The library that draws such diagrams in
 * a browser is larger than the dashboard.
 */
import { escaped } from "./text.ts";

interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly label: string;
}

export function arrows(diagram: string): string {
  const all = diagram.split("\n").flatMap(arrowsOf);
  const nodes = [...new Set(all.map(({ from }) => from))];
  const rows = nodes.map((node) => {
    const leaving = all.filter(({ from }) => from === node);
    const items = leaving.map(
      ({ to, label }) =>
        `<li><span class="label">${escaped(label)}</span><span class="node">${escaped(to)}</span></li>`,
    );
    return `<div><span class="node">${escaped(node)}</span><ul>${items.join("")}</ul></div>`;
  });
  return `<div class="arrows">${rows.join("")}</div>\n`;
}

/** `a --> b: label` of a state diagram, `a[name] -->|label| b(name)` of a flow chart. */
function arrowsOf(line: string): Arrow[] {
  const state = /^\s*(\S+) --> (\S+?)(?:: (.+))?$/.exec(line);
  const flow = /^\s*(.+?) <?-->\|([^|]+)\| (.+)$/.exec(line);
  const [from = "", to = "", label = ""] = flow
    ? [flow[1], flow[3], flow[2]]
    : state
      ? [state[1], state[2], state[3]]
      : [];
  if (from === "") return [];
  return [{ from: named(from, "start"), to: named(to, "end"), label }];
}

function named(node: string, open: string): string {
  if (node === "[*]") return open;
  return /[[(]+([^\])]+)[\])]+$/.exec(node)?.[1] ?? node;
}
