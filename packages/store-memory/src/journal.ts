// journal.ts: maps that can take their changes back.

/** What was changed, and how to undo it. */
export class Journal {
  readonly #undo: (() => void)[] = []

  record(undo: () => void): void {
    this.#undo.push(undo)
  }

  /** Takes back everything since the last {@link keep}, latest first. */
  takeBack(): void {
    for (let undo = this.#undo.pop(); undo !== undefined; undo = this.#undo.pop()) undo()
  }

  /** From here on there is no way back. */
  keep(): void {
    this.#undo.length = 0
  }
}

/** A map that writes its changes into a journal. */
export class Table<K, V> {
  readonly #rows = new Map<K, V>()
  readonly #journal: Journal

  constructor(journal: Journal) {
    this.#journal = journal
  }

  get(key: K): V | undefined {
    return this.#rows.get(key)
  }

  has(key: K): boolean {
    return this.#rows.has(key)
  }

  set(key: K, row: V): void {
    const before = this.#rows.get(key)
    this.#journal.record(() => this.#put(key, before))
    this.#rows.set(key, row)
  }

  delete(key: K): void {
    const before = this.#rows.get(key)
    this.#journal.record(() => this.#put(key, before))
    this.#rows.delete(key)
  }

  /** In no promised order: a row whose deletion was taken back has moved. A copy, so that rows may change meanwhile. */
  entries(): readonly (readonly [K, V])[] {
    return [...this.#rows]
  }

  #put(key: K, row: V | undefined): void {
    if (row === undefined) this.#rows.delete(key)
    else this.#rows.set(key, row)
  }
}
