/** How fast the parts of one stream go up now: what S3 acknowledged lately, over the time in which something was on its way. */
const WINDOW_MS = 60_000;

export class SendingRate {
  #beganMs: number | undefined;
  #acknowledged: { atMs: number; bytes: number }[] = [];

  /** The first part of a row is on its way. */
  begin(nowMs: number): void {
    this.#beganMs = nowMs;
    this.#acknowledged = [];
  }

  acknowledged(bytes: number, nowMs: number): void {
    this.#acknowledged.push({ atMs: nowMs, bytes });
    this.#acknowledged = this.#acknowledged.filter(({ atMs }) => nowMs - atMs < WINDOW_MS);
  }

  /** Bytes a second; undefined before the first part is there. */
  now(nowMs: number): number | undefined {
    if (this.#beganMs === undefined) return undefined;
    const fromMs = Math.max(this.#beganMs, nowMs - WINDOW_MS);
    const bytes = this.#acknowledged.reduce((sum, one) => sum + (one.atMs >= fromMs ? one.bytes : 0), 0);
    return bytes === 0 || nowMs <= fromMs ? undefined : Math.round((bytes / (nowMs - fromMs)) * 1_000);
  }
}
