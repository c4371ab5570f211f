/**
 * The current upload rate of one stream: what S3 acknowledged recently, over the time in which a part was in flight.
 */
const WINDOW_MS = 60_000;

export class SendingRate {
  #beganMs: number | undefined;
  #acknowledged: { atMs: number; bytes: number }[] = [];

  /** Called when the first part of a series is in flight. */
  begin(nowMs: number): void {
    this.#beganMs = nowMs;
    this.#acknowledged = [];
  }

  acknowledged(bytes: number, nowMs: number): void {
    this.#acknowledged.push({ atMs: nowMs, bytes });
    this.#acknowledged = this.#acknowledged.filter(({ atMs }) => nowMs - atMs < WINDOW_MS);
  }

  /** Bytes per second; undefined before the first part is acknowledged. */
  now(nowMs: number): number | undefined {
    if (this.#beganMs === undefined) return undefined;
    const fromMs = Math.max(this.#beganMs, nowMs - WINDOW_MS);
    const bytes = this.#acknowledged.reduce((sum, one) => sum + (one.atMs >= fromMs ? one.bytes : 0), 0);
    return bytes === 0 || nowMs <= fromMs ? undefined : Math.round((bytes / (nowMs - fromMs)) * 1_000);
  }
}
