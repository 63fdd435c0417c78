// documents.ts: the documents of a container, strongly read and conditionally written, each write with an end that is known.
// Owns: sending again, telling done from not done, when to give up.
// Not here: one request (wire.ts), who may send now (gate.ts), what documents mean.
//   D1  A write whose end is unknown is settled by reading its document: where its own tag stands there it was done, else
//       the identical attempt is sent again. Whichever of the attempts takes place first, its condition refuses all others.
//   D2  A refused condition is looked into the same way: it may have been refused by an earlier attempt of the same write,
//       of ours or of the client.
//   D3  A read that contradicts the refusal (the etag that was not the right one, a taken id where nothing is) is not the
//       last state: it decides nothing.
//   D4  What can't be settled within `settleMs` is STORE_UNCERTAIN. What is known not to have been done is never that.
import type { InterstateError } from '@interstate/core'
import type { Charges, Kind } from './charges.ts'
import type { CosmosContainer, ReadLevel } from './client.ts'
import { type Clock, sleep, systemClock } from './clock.ts'
import { type Batch, type ConditionalWrite, keyOf, type Partition, type Stored } from './document.ts'
import { type Failure, failureBy, refusal, uncertain } from './failure.ts'
import { Gate, type Pass } from './gate.ts'
import { refuseLong, refuseLongBatch } from './limits.ts'
import { type Query, textOf } from './query.ts'
import { type Answer, type Page, Wire } from './wire.ts'

/** What a read of one document gives. */
export type Found = ({ readonly outcome: 'ok' } & Stored) | { readonly outcome: 'absent' }

/** What became of a conditional write. */
export type Written =
  /** Done, once. */
  | { readonly outcome: 'ok'; readonly etag: string }
  | Conflict
  /** There is no document to replace. */
  | { readonly outcome: 'absent'; readonly isSure: boolean }

/** The condition did not hold: nothing of this write stands there. */
export interface Conflict {
  readonly outcome: 'conflict'
  /** 412: another etag. 409: the id is taken. 404: a document that a batch was to replace or delete is not there. */
  readonly status: number
  /** Which operation of a batch was refused. */
  readonly culprit: number
  /** The first document as it is now, if it is there: the next attempt needs no read of its own. */
  readonly found: Stored | undefined
  /**
   * Whether this write was never done. `false`: an attempt without an answer may have been done, and then somebody has
   * written over it, who has read it.
   */
  readonly isSure: boolean
}

/** See {@link Documents}. Times in milliseconds. */
export interface DocumentsOptions {
  readonly container: CosmosContainer
  /** Properties that the container indexes beside `shard`: queries may ask for these alone. */
  readonly indexed?: readonly string[]
  /** How long a call is repeated until its end is known, waiting for its turn included. Default 30,000. */
  readonly settleMs?: number
  /** How long one answer is waited for. Default 5,000, as long as the service takes for a batch. */
  readonly attemptMs?: number
  /** How many requests are under way at most. Default 256. */
  readonly mostAtOnce?: number
  /** Default: that of Node.js. */
  readonly clock?: Clock
}

const firstPauseMs = 10
const longestPauseMs = 1_000

/** The end of a call that changes nothing. */
type Asked<T> = { readonly outcome: 'ok'; readonly value: T } | { readonly outcome: 'absent' }
type Refused = Extract<Answer<never>, { outcome: 'refused' }>

/** What a call is made for. */
interface Errand {
  readonly kind: Kind
  readonly line: string
  readonly deadline: number
}

/** See the file head. */
export class Documents {
  readonly #wire: Wire
  readonly #gate: Gate
  readonly #clock: Clock
  readonly #settleMs: number
  readonly #indexed: readonly string[]

  constructor(options: DocumentsOptions) {
    const { container, indexed = [], settleMs = 30_000, attemptMs = 5_000 } = options
    this.#clock = options.clock ?? systemClock
    this.#wire = new Wire(container, this.#clock, { attemptMs })
    this.#gate = new Gate(this.#clock, { mostAtOnce: options.mostAtOnce ?? 256 })
    this.#settleMs = settleMs
    this.#indexed = indexed
  }

  /** Each read asks for this level from now on, whatever the client was told: the account's. Until then, for `Strong`. */
  readAt(level: ReadLevel): void {
    this.#wire.level = level
  }

  /** What was asked and charged so far. */
  get charges(): Charges {
    return this.#wire.ledger.charges
  }

  /** The document as last written. @throws InterstateError `STORE_FAILED`, `STORE_UNFIT`, `STORE_FOREIGN`. */
  async read(partition: Partition, id: string): Promise<Found> {
    const errand = this.#errand('read', partition)
    return foundBy(await this.#surely(errand, () => this.#wire.read('read', partition, id)))
  }

  /** Writes one document if it is as it was known. See {@link Documents.batch} for what it throws. */
  async write(write: ConditionalWrite): Promise<Written> {
    refuseLong(write.document)
    return await this.#settled(write, this.#errand(write.kind, write.document), () => this.#wire.write(write))
  }

  /**
   * Writes several documents of one logical partition, all or none.
   *
   * @throws InterstateError `LIMIT_EXCEEDED`, `STORE_FAILED`, `STORE_UNFIT`, `STORE_FULL`: nothing was written.
   * `STORE_UNCERTAIN`: nobody knows.
   */
  async batch(batch: Batch): Promise<Written> {
    refuseLongBatch(batch)
    const [first] = batch
    return await this.#settled(first, this.#errand('batch', first.document), () => this.#wire.batch(batch))
  }

  /** A page of documents, in no order: those of one shard, or of the whole container. */
  async query(query: Query): Promise<Page> {
    const text = textOf(query, this.#indexed)
    const errand = this.#errand('query', { shard: query.shard ?? -1, entity: '' })
    const answer = await this.#surely(errand, () => this.#wire.query('query', text))
    if (answer.outcome === 'absent') throw new Error('A query is never absent.')
    return answer.value
  }

  /** Any question to the account or the container, repeated like a read. What is refused comes back as it was said. */
  async ask<T>(
    question: (abortSignal: AbortSignal) => Promise<{ readonly value: T; readonly headers: object }>,
  ): Promise<
    { readonly outcome: 'ok'; readonly value: T } | { readonly outcome: 'refused'; readonly failure: Failure }
  > {
    const errand = this.#errand('probe', { shard: -1, entity: 'probe' })
    const answer = await this.#repeated(errand, () =>
      this.#wire.ask<T>('probe', async ({ abortSignal }) => {
        const { value, headers } = await question(abortSignal)
        return { answer: { outcome: 'ok', value }, headers }
      }),
    )
    if (answer.outcome === 'absent') return { outcome: 'refused', failure: failureBy(404, undefined, {}) }
    return answer
  }

  /** Removes documents one by one, whoever wrote them; what is not there is no matter. For what no protocol rests on. */
  async remove(partition: Partition, ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      await this.ask(async (abortSignal) => {
        const { headers } = await this.#wire.container.item(id, keyOf(partition)).delete({ abortSignal })
        return { value: undefined, headers }
      })
    }
  }

  #errand(kind: Kind, { shard, entity }: Partition): Errand {
    return { kind, line: `${shard}/${entity}`, deadline: this.#clock.now() + this.#settleMs }
  }

  async #surely<T>(errand: Errand, ask: () => Promise<Answer<T>>): Promise<Asked<T>> {
    const answer = await this.#repeated(errand, ask)
    if (answer.outcome === 'refused') throw answer.error
    return answer
  }

  /** Repeats what changes nothing until it is answered. */
  async #repeated<T>(errand: Errand, ask: () => Promise<Answer<T>>): Promise<Asked<T> | Refused> {
    const tries = new Tries(this.#clock, errand.deadline)
    for (;;) {
      const answer = await this.#passed(errand, tries, ask)
      switch (answer?.outcome) {
        case 'ok':
        case 'absent':
        case 'refused':
          return answer
        case 'conflict':
          throw new Error('A read has no condition.')
        default:
          if (answer === undefined || !(await tries.again(answer))) throw tries.error
      }
    }
  }

  /** See D1 to D4. */
  async #settled(write: ConditionalWrite, errand: Errand, send: () => Promise<Answer<string>>): Promise<Written> {
    const tries = new Tries(this.#clock, errand.deadline)
    for (;;) {
      const answer = await this.#passed(errand, tries, send)
      if (answer === undefined) throw tries.error
      if (answer.outcome === 'ok') return { outcome: 'ok', etag: answer.value }
      if (answer.outcome === 'refused' && !tries.mayBeDone) throw answer.error
      if (answer.outcome === 'unknown' || answer.outcome === 'conflict' || answer.outcome === 'absent') {
        const isSure = !tries.mayBeDone
        tries.mayBeDone = true
        if (answer.outcome === 'unknown') tries.last = answer.failure
        const seen = await this.#look(write, errand, tries)
        if (seen.outcome === 'ok' && seen.document.tag === write.document.tag) return { outcome: 'ok', etag: seen.etag }
        const end = answer.outcome === 'unknown' ? undefined : endOf(write, answer, seen, isSure)
        if (end !== undefined) return end
      }
      if (!(await tries.again(answer))) throw tries.error
    }
  }

  /** How the document stands now. Trouble on the way leaves the write as uncertain as it was. */
  async #look(write: ConditionalWrite, errand: Errand, tries: Tries): Promise<Found> {
    const { document } = write
    for (;;) {
      const answer = await this.#passed({ ...errand, kind: 'settle' }, tries, () =>
        this.#wire.read('settle', document, document.id),
      )
      if (answer?.outcome === 'ok' || answer?.outcome === 'absent') return foundBy(answer)
      if (answer === undefined || answer.outcome === 'conflict' || !(await tries.again(answer))) throw tries.error
    }
  }

  /** Makes a call when it may be made; `undefined`: it was never its turn. */
  async #passed<T>(
    { line, deadline }: Errand,
    tries: Tries,
    ask: () => Promise<Answer<T>>,
  ): Promise<Answer<T> | undefined> {
    for (;;) {
      const pass = await this.#gate.enter({ line, deadline, isBack: tries.isBack })
      if (pass === undefined) return undefined
      const answer = await answered(pass, ask)
      if (answer.outcome !== 'throttled') return answer
      tries.isBack = true
      tries.last = answer.failure
    }
  }
}

/** What the attempts of one call have come to. */
class Tries {
  /** Whether one of them may have been done. */
  mayBeDone = false
  /** Whether one of them was turned away. */
  isBack = false
  last: Failure | undefined
  readonly #clock: Clock
  readonly #deadline: number
  #pauseMs = firstPauseMs

  constructor(clock: Clock, deadline: number) {
    this.#clock = clock
    this.#deadline = deadline
  }

  /** Waits before another attempt; `false` when there is no time for one. */
  async again(answer: Answer<unknown>): Promise<boolean> {
    if ('failure' in answer) this.last = answer.failure
    const wanted = 'retryAfterMs' in answer ? answer.retryAfterMs : 0
    const pauseMs = Math.max(this.#pauseMs, wanted)
    if (this.#clock.now() + pauseMs > this.#deadline) return false
    this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs)
    await sleep(this.#clock, pauseMs)
    return true
  }

  get error(): InterstateError {
    const failure = this.last ?? silence
    return this.mayBeDone ? uncertain(failure) : refusal(failure)
  }
}

const silence: Failure = {
  status: undefined,
  substatus: undefined,
  code: undefined,
  text: 'nothing, it was never the turn of this call',
  activityId: undefined,
  retryAfterMs: undefined,
  requestUnits: 0,
}

async function answered<T>(pass: Pass, ask: () => Promise<Answer<T>>): Promise<Answer<T>> {
  let answer: Answer<T> | undefined
  try {
    answer = await ask()
    return answer
  } finally {
    if (answer?.outcome === 'throttled') pass.turnedAway(answer.retryAfterMs)
    else if (answer?.outcome === 'ok') pass.done(answer.isCrowded ? 'crowded' : 'served')
    else pass.done('other')
  }
}

function foundBy(answer: { outcome: 'ok'; value: Stored } | { outcome: 'absent' }): Found {
  return answer.outcome === 'absent' ? answer : { outcome: 'ok', ...answer.value }
}

/** The end of a write whose tag is not there; `undefined` where what was read contradicts it: D3. */
function endOf(
  write: ConditionalWrite,
  answer: { outcome: 'absent' } | { outcome: 'conflict'; status: number; culprit: number },
  seen: Found,
  isSure: boolean,
): Written | undefined {
  const found = seen.outcome === 'absent' ? undefined : { document: seen.document, etag: seen.etag }
  if (answer.outcome === 'absent') return found === undefined ? { outcome: 'absent', isSure } : undefined
  const { status, culprit } = answer
  if (culprit === 0) {
    if (write.kind === 'create' && found === undefined) return undefined
    if (write.kind === 'replace' && found?.etag === write.etag) return undefined
    if (write.kind === 'replace' && found === undefined) return { outcome: 'absent', isSure }
  }
  return { outcome: 'conflict', status, culprit, found, isSure }
}
