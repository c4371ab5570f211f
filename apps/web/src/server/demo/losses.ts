/** What "Lose the disk" deleted last, as this process knows it. */
export interface Loss {
  id: string;
  name: string;
  /** Of the file when it was deleted. */
  size: number;
  /** In ms since 1970. */
  at: number;
  /** Why it was not salvaged. */
  trouble?: string;
}

export interface Losses {
  last: Loss | undefined;
}
