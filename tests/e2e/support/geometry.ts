/**
 * What is wrong with a page by geometry alone: text that overlaps other text, an icon or a bar, that leaves its card,
 * or that is cut off without an ellipsis; a page that scrolls sideways; content that does not line up with the header.
 */
import type { Page } from "@playwright/test";

export function misplaced(page: Page): Promise<string[]> {
  return page.evaluate(look);
}

/** Runs in the browser, so it cannot refer to anything outside itself. */
function look(): string[] {
  /** Letters reach a little past the line they stand on. */
  const SLACK = { x: 1.5, y: 3 };
  const found: string[] = [];

  interface Box {
    left: number;
    right: number;
    top: number;
    bottom: number;
    what: string;
    element: Element;
  }

  const styles = new Map<Element, CSSStyleDeclaration>();
  const styleOf = (element: Element): CSSStyleDeclaration => {
    const known = styles.get(element) ?? getComputedStyle(element);
    styles.set(element, known);
    return known;
  };
  const isShown = (element: Element): boolean =>
    element.closest(".heard") === null && element.checkVisibility({ visibilityProperty: true });
  const named = (text: string): string => `“${text.trim().replaceAll(/\s+/g, " ").slice(0, 60)}”`;

  /** The part of it that is seen, after every ancestor that clips; complains of what is lost without an ellipsis. */
  function seen(box: Box): Box | undefined {
    let { left, right, top, bottom } = box;
    for (let at: Element | null = box.element; at !== null && at !== document.body; at = at.parentElement) {
      const style = styleOf(at);
      if (style.overflowX === "visible" && style.overflowY === "visible") continue;
      const frame = at.getBoundingClientRect();
      const scrolls = /auto|scroll/.test(`${style.overflowX} ${style.overflowY}`);
      const isShortened = style.textOverflow === "ellipsis" || style.webkitLineClamp !== "none";
      const isCut = right > frame.right + SLACK.x || left < frame.left - SLACK.x;
      const isCutBelow = bottom > frame.bottom + SLACK.y || top < frame.top - SLACK.y;
      if (!scrolls && (isCut || isCutBelow)) {
        if (!isShortened) found.push(`${box.what} is cut off`);
        else if (box.element.closest("time, .num") !== null) found.push(`${box.what} is shortened`);
      }
      left = Math.max(left, frame.left);
      right = Math.min(right, frame.right);
      top = Math.max(top, frame.top);
      bottom = Math.min(bottom, frame.bottom);
      if (right - left < 1 || bottom - top < 1) return undefined;
    }
    return { ...box, left, right, top, bottom };
  }

  const texts: Box[] = [];
  const others: Box[] = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const element = node.parentElement;
    if (element === null || (node.nodeValue ?? "").trim() === "" || !isShown(element)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const card = element.closest(".card")?.getBoundingClientRect();
    for (const { left, right, top, bottom } of range.getClientRects()) {
      if (right - left < 1) continue;
      const box = seen({ left, right, top, bottom, what: named(node.nodeValue ?? ""), element });
      if (box === undefined) continue;
      texts.push(box);
      const leaves = card !== undefined && (box.right > card.right + 1 || box.left < card.left - 1);
      if (leaves) found.push(`${box.what} leaves its card`);
      if (box.right > document.documentElement.clientWidth + 1) found.push(`${box.what} leaves the window`);
    }
  }
  for (const element of document.querySelectorAll("svg, [role=progressbar], main input")) {
    if (!isShown(element)) continue;
    const { left, right, top, bottom } = element.getBoundingClientRect();
    const what = `a ${element.getAttribute("role") ?? element.tagName.toLowerCase()}`;
    const box = seen({ left, right, top, bottom, what, element });
    if (box !== undefined) others.push(box);
  }

  const overlaps = (a: Box, b: Box): boolean =>
    Math.min(a.right, b.right) - Math.max(a.left, b.left) > SLACK.x &&
    Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > SLACK.y;
  const sorted = [...texts, ...others].sort((a, b) => a.top - b.top);
  sorted.forEach((box, at) => {
    for (let next = at + 1; next < sorted.length; next += 1) {
      const other = sorted[next];
      if (other === undefined || other.top >= box.bottom) break;
      // A frame may hold text, as a field holds its value.
      if (box.element !== other.element && !box.element.contains(other.element) && overlaps(box, other))
        found.push(`${box.what} overlaps ${other.what}`);
    }
  });

  const page = document.documentElement;
  const sideways = page.scrollWidth - page.clientWidth;
  if (sideways > 0) found.push(`the page scrolls sideways by ${sideways} px`);
  const inner = (element: Element): readonly number[] => {
    const { left, right } = element.getBoundingClientRect();
    const style = styleOf(element);
    return [left + parseFloat(style.paddingLeft), right - parseFloat(style.paddingRight)];
  };
  const [header, main] = ["header > div", "main"].map((name) => document.querySelector(name));
  if (header && main) {
    const [above, below] = [inner(header), inner(main)];
    if (above.some((edge, at) => Math.abs(edge - (below[at] ?? 0)) > 1))
      found.push(`the header spans ${above.join("–")}, the content ${below.join("–")}`);
  }
  return [...new Set(found)];
}
