/** The public API: start an endpoint, set faults and quirks, read the requests it got. */
export type { AccessEntry } from "./access-log.ts";
export { type Fault, type FaultAction, type FaultMatch, Faults, type FaultState, TROUBLE } from "./faults.ts";
export type { Operation } from "./http/operation.ts";
export { LIMITS } from "./limits.ts";
export { QUIRKS, type Quirk, type Quirks } from "./quirks.ts";
export { type LocalS3, type LocalS3Options, startLocalS3 } from "./start.ts";
