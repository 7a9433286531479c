/** Who listens to a directory: everybody is told everything, in one order. */
type Listener<Event> = (event: Event) => void;

export class DirectoryListeners<Event> {
  readonly #listeners = new Set<Listener<Event>>();
  readonly #undelivered: Event[] = [];
  #delivering = false;

  /** The same function may be added twice; each is ended by what its own call returned. */
  add(listener: Listener<Event>): () => void {
    const own: Listener<Event> = (event) => listener(event);
    this.#listeners.add(own);
    return () => {
      this.#listeners.delete(own);
    };
  }

  clear(): void {
    this.#listeners.clear();
  }

  /** A listener may change the directory: what it causes is told after what is being told, to everybody. */
  tell(event: Event): void {
    this.#undelivered.push(event);
    if (this.#delivering) return;
    this.#delivering = true;
    try {
      for (let next = this.#undelivered.shift(); next; next = this.#undelivered.shift()) {
        for (const listener of [...this.#listeners]) listener(next);
      }
    } finally {
      this.#delivering = false;
    }
  }
}
