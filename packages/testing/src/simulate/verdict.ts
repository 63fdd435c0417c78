// verdict.ts: what is found in a run. The first finding stands, but for what is accepted; the run goes on until its story
// can be told.
import type { FindingCode } from '../failure/catalogue.ts'
import type { Process } from './process.ts'

/** Something that was found, before it is told. */
export interface Found {
  readonly code: FindingCode
  /** By which it is accepted, after its code; empty where the code alone says it. */
  readonly name: string
  readonly what: string
  readonly cause?: unknown
}

/** See the file head. */
export class Verdict {
  readonly #accepted: ReadonlySet<string>
  #found: Found | undefined
  #isOver = false
  /** The process whose write was found wrong, and which has not told of it yet. */
  #teller: Process | undefined

  /** @param accepted - Findings by their names that are meant to be so. */
  constructor(accepted: ReadonlySet<string>) {
    this.#accepted = accepted
  }

  get found(): Found | undefined {
    return this.#found
  }

  /** Whether the run ends here. */
  get isOver(): boolean {
    return this.#isOver
  }

  find(found: Found): void {
    if (this.#found !== undefined || this.#isAccepted(found)) return
    this.#found = found
    this.#isOver = true
  }

  /** A guarantee of the runtime or of the store does not hold. */
  broken(guarantee: string, what: string): void {
    this.find(broken(guarantee, what))
  }

  /** What comes before all else: the rest may follow from it. @returns Whether it stands. */
  overrule(guarantee: string, what: string): boolean {
    const found = broken(guarantee, what)
    if (this.#isAccepted(found)) return false
    this.#found = found
    return true
  }

  /** What the turns of a wrong write were, its host tells when it hears of the write. */
  waitFor(process: Process): void {
    this.#isOver = false
    this.#teller = process
  }

  /** A process has told everything about its latest write, or never will. */
  told(process: Process): void {
    if (this.#teller === process) this.#isOver = true
  }

  #isAccepted({ code, name }: Found): boolean {
    return this.#accepted.has(name === '' ? code : `${code} ${name}`)
  }
}

function broken(guarantee: string, what: string): Found {
  return { code: 'GUARANTEE_BROKEN', name: guarantee, what: `${guarantee}: ${what}` }
}
