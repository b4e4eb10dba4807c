/** Things that are bound to one another, and of which some are forbidden with all that are bound to them: a union-find. */
export class Bonds<T> {
  readonly #things = new Map<string, T>();
  readonly #parents = new Map<string, string>();
  readonly #forbidden = new Set<string>();

  /** A thing by its key, as which it is known from now on. */
  item(key: string, thing: T): string {
    if (!this.#things.has(key)) this.#things.set(key, thing);
    return key;
  }

  /** Binds two things, and all that is bound to one of them to the other. */
  bind(a: string, b: string): void {
    const [one, other] = [this.#root(a), this.#root(b)];
    if (one === other) return;
    this.#parents.set(one, other);
    if (this.#forbidden.has(one)) this.#forbidden.add(other);
  }

  /** Forbids a thing, and all that is or will be bound to it. */
  forbid(key: string): void {
    this.#forbidden.add(this.#root(key));
  }

  /** The things that are not forbidden, those that are bound to one another together. */
  free(): readonly (readonly T[])[] {
    const found = new Map<string, T[]>();
    for (const [key, thing] of this.#things) {
      const root = this.#root(key);
      if (this.#forbidden.has(root)) continue;
      const known = found.get(root);
      if (known === undefined) found.set(root, [thing]);
      else known.push(thing);
    }
    return [...found.values()];
  }

  #root(key: string): string {
    let root = key;
    for (let up = this.#parents.get(root); up !== undefined; up = this.#parents.get(root)) root = up;
    // The way is short the next time.
    for (let at = key; at !== root;) {
      const up = this.#parents.get(at)!;
      this.#parents.set(at, root);
      at = up;
    }
    return root;
  }
}
