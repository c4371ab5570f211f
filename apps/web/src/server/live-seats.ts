/** How many live feeds are open at once, of one session and in all; past the most, the oldest gives its place up. */

export const LIVE_SEATS = {
  /** A browser needs one; on plain HTTP each of its visible tabs does. */
  ofSession: 12,
  inAll: 500,
} as const;

export interface Seat {
  /** Aborted when a newer feed took the place. */
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
