/**
 * What V8 made of the sources, kept between processes: a start costs a third of the processor time, and a run consists of
 * starts. Node finds a changed source by its content, so nothing old is ever run.
 */
import { join } from "node:path";

/** Environment of every Node process of a run. One that ends by itself writes what it compiled, one that is killed does not. */
export const COMPILED = {
  NODE_COMPILE_CACHE: join(import.meta.dirname, "../../../.sluice/chaos/compiled"),
} as const;
