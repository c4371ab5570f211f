/** Limits how many live feeds are open at once, per session and in total; beyond that, the oldest is closed. */

export const LIVE_SEATS = {
  /** A browser needs one; on plain HTTP, one for each visible tab. */
  ofSession: 12,
  inAll: 500,
} as const;

export interface Seat {
  /** Aborted when a newer feed replaces this one. */
  lost: AbortSignal;
  leave(): void;
}

interface Taken {
  session: string;
  ended: AbortController;
}

export class LiveSeats {
  /** The oldest first. */
  readonly #taken = new Set<Taken>();
  readonly #limits: { ofSession: number; inAll: number };

  constructor(limits: { ofSession: number; inAll: number } = LIVE_SEATS) {
    this.#limits = limits;
  }

  get open(): number {
    return this.#taken.size;
  }

  take(session: string): Seat {
    const own = [...this.#taken].filter((seat) => seat.session === session);
    if (own.length >= this.#limits.ofSession) this.#end(own[0]);
    else if (this.#taken.size >= this.#limits.inAll) this.#end([...this.#taken][0]);
    const seat: Taken = { session, ended: new AbortController() };
    this.#taken.add(seat);
    return { lost: seat.ended.signal, leave: () => void this.#taken.delete(seat) };
  }

  #end(seat: Taken | undefined): void {
    if (seat === undefined) return;
    this.#taken.delete(seat);
    seat.ended.abort();
  }
}
