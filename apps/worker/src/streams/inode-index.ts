/** Inode number → what bears it. Nearly always one; numbers repeat across volumes, and where they are given out again. */
export class InodeIndex {
  readonly #names = new Map<string, string | Set<string>>();

  get(inode: string): string[] {
    const held = this.#names.get(inode);
    if (held === undefined) return [];
    return typeof held === "string" ? [held] : [...held];
  }

  /** An unknown number names nothing. */
  add(inode: string | undefined, name: string): void {
    if (inode === undefined) return;
    const held = this.#names.get(inode);
    if (held === undefined) this.#names.set(inode, name);
    else if (typeof held !== "string") held.add(name);
    else if (held !== name) this.#names.set(inode, new Set([held, name]));
  }

  remove(inode: string | undefined, name: string): void {
    if (inode === undefined) return;
    const held = this.#names.get(inode);
    if (held === name) this.#names.delete(inode);
    if (typeof held === "string" || held === undefined) return;
    held.delete(name);
    if (held.size === 0) this.#names.delete(inode);
  }

  clear(): void {
    this.#names.clear();
  }
}
