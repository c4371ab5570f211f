/** What a first load of the dashboard costs: the server's answers before and after its read model is filled, and a browser's. */
import { chromium } from "@playwright/test";
import config from "../playwright.config.ts";
import { query, signIn } from "./api.ts";
import { until } from "./process.ts";

export interface ServerTimes {
  /** Of the list's first page, ms: before the read model is filled, and after. */
  cold_ms: number;
  warm_ms: number;
  /** Of the page with the list in it, ms. */
  page_ms: number;
}

export interface BrowserLoad {
  /** Bodies of scripts, as they came over the wire. */
  script_bytes: number;
  /** From the address to a page that answers to clicks and hears of changes. */
  interactive_ms: number;
  table_rows: number;
}

/** The best of a few tries counts: the machine is shared, the server is not. */
const TRIES = 5;
const FILLED_WITHIN_MS = 60_000;

interface ListPage {
  rows: unknown[];
  total: number;
  filling: boolean;
}

/** Of a dashboard that has just been started over so many streams. */
export async function serverTimes(origin: string, streams: number): Promise<ServerTimes> {
  const cookie = await signIn(origin);
  const page = async (): Promise<ListPage> => {
    const input = { filter: { view: "all" }, limit: 100 };
    return (await query(origin, "streams.page", input, { cookie })).data as ListPage;
  };
  const isWhole = ({ rows, total }: ListPage): boolean => rows.length === 100 && total === streams;
  const cold_ms = await quickest(page, (answer) => answer.filling && isWhole(answer));
  await until(
    "the filled read model",
    async () => ((await page()).filling ? undefined : true),
    undefined,
    FILLED_WITHIN_MS,
  );
  const warm_ms = await quickest(page, (answer) => !answer.filling && isWhole(answer));
  const page_ms = await quickest(
    () => fetch(`${origin}/streams`, { headers: { cookie } }).then((html) => html.text()),
    (html) => html.includes(`of ${streams.toLocaleString("en-GB")}`),
  );
  return { cold_ms, warm_ms, page_ms };
}

/** The quickest of a few answers, ms; Infinity when none was as expected. */
async function quickest<T>(ask: () => Promise<T>, isIt: (answer: T) => boolean): Promise<number> {
  const times: number[] = [];
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const asked = performance.now();
    const answer = await ask();
    if (isIt(answer)) times.push(performance.now() - asked);
  }
  return Math.min(...times);
}

/** The list of streams in a browser that has never seen the dashboard but is signed in. */
export async function browserLoad(origin: string): Promise<BrowserLoad> {
  const [name = "", value = ""] = (await signIn(origin)).split("=");
  const browser = await chromium.launch(config.use?.launchOptions ?? {});
  try {
    const context = await browser.newContext();
    await context.addCookies([{ name, value, url: origin }]);
    const page = await context.newPage();
    const scripts: Promise<number>[] = [];
    page.on("requestfinished", (request) => {
      if (request.resourceType() === "script")
        scripts.push(request.sizes().then(({ responseBodySize }) => responseBodySize));
    });
    const openedAt = performance.now();
    await page.goto(`${origin}/streams`, { waitUntil: "commit" });
    const table = page.getByRole("table", { name: "Streams" });
    await Promise.all([table.waitFor(), page.locator("[data-live=Live]").waitFor()]);
    const interactive_ms = performance.now() - openedAt;
    const table_rows = await table.getByRole("row").count();
    const script_bytes = (await Promise.all(scripts)).reduce((sum, bytes) => sum + bytes, 0);
    return { script_bytes, interactive_ms, table_rows };
  } finally {
    await browser.close();
  }
}
