// interner.ts: numbers for values that are equal as texts, so that states are short lists of numbers.

/** Values by number, from 1; the same text has the same number. 0 stands for nothing. */
export class Interner<T> {
  readonly #numbers = new Map<string, number>()
  readonly #texts: string[] = ['']
  readonly #values: (T | undefined)[] = [undefined]

  /** The number of a text. The first value that comes with it stands for all. */
  number(text: string, value?: T): number {
    let found = this.#numbers.get(text)
    if (found === undefined) {
      found = this.#texts.length
      this.#numbers.set(text, found)
      this.#texts.push(text)
      this.#values.push(value)
    } else if (this.#values[found] === undefined) {
      this.#values[found] = value
    }
    return found
  }

  text(number: number): string {
    return this.#texts[number] as string
  }

  value(number: number): T {
    return this.#values[number] as T
  }

  get size(): number {
    return this.#texts.length - 1
  }
}
