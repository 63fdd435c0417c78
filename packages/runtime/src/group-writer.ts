// group-writer.ts: writes the group of a wave, in one piece or in parts, and finds out how it ended.
//   P1  A group in parts ends as one: nothing of it is settled before the end of every part is known (G8).
//   P2  What has an unknown end is written again just as it is until it is known: whether to undo or to settle it can't be
//       guessed. So is what was refused while another part stands: a group is undone as a whole or not at all.
import {
  type Env,
  type Group,
  type GroupResult,
  type HostId,
  InterstateError,
  type StoreDriver,
  type TimerHandle,
} from '@interstate/core'
import type { Wave, Written } from './wave.ts'

/** What it takes of a host. */
export interface GroupWriterContext {
  readonly store: StoreDriver
  readonly env: Env
  readonly owner: HostId
  /** Between two attempts, in milliseconds. */
  readonly retryMs: number
  /** The end of the group is not known; it is tried again. */
  readonly unknown: (error: InterstateError) => void
  /** Whether the host stops: it leaves without knowing. */
  readonly stops: () => boolean
}

/** A whole group that was written. */
export interface Ended extends Written {
  readonly result: GroupResult
}

/** See the file head. One for each wave. */
export class GroupWriter {
  readonly #context: GroupWriterContext
  readonly #wave: Wave
  #drawn: string | undefined
  readonly #parts: Written[] = []
  /** Of the parts. None of them rejects unheard. */
  readonly #ends: Promise<PromiseSettledResult<GroupResult>>[] = []

  constructor(context: GroupWriterContext, wave: Wave) {
    this.#context = context
    this.#wave = wave
  }

  /** Drawn when it is needed: how often a store makes a host look for work in vain must not show in its ids (G14). */
  get #tag(): string {
    this.#drawn ??= this.#context.env.id()
    return this.#drawn
  }

  /** Whether something was handed to the store. */
  get hasBegun(): boolean {
    return this.#parts.length > 0
  }

  /** Hands over what is done, and lets the socket have it while further turns are taken. */
  readonly part = async (): Promise<void> => {
    this.#handOver(this.#wave.toPart(this.#context.owner, this.#tag))
    await new Promise<void>((resolve) => this.#context.env.soon(resolve))
  }

  /**
   * Hands over the rest. Resolves when the end of all of it is known.
   * @throws InterstateError What the store rejects with: nothing was written then. `STORE_FENCED` and `STORE_UNCERTAIN` say less.
   */
  async finish(): Promise<Ended> {
    this.#handOver(this.#wave.toGroup(this.#context.owner, this.#tag))
    const ends = await Promise.all(this.#ends)
    const failures = ends.flatMap((end) => (end.status === 'rejected' ? [errorOf(end.reason)] : []))
    const [first] = failures
    const fenced = failures.find(({ code }) => code === 'STORE_FENCED')
    if (fenced !== undefined) throw fenced
    const isUnknown = failures.length < ends.length || failures.some(({ code }) => code === 'STORE_UNCERTAIN')
    if (first !== undefined && !isUnknown) throw first
    const results: GroupResult[] = []
    for (const [index, end] of ends.entries()) {
      const { group } = this.#parts[index] as Written
      results.push(end.status === 'fulfilled' ? end.value : await this.#repeat(group, uncertain(end.reason)))
    }
    return wholeOf(this.#parts, results)
  }

  #handOver(part: Written): void {
    const { group, folds } = part
    const { commits, accepted, registrations } = group
    if (commits.length + accepted.length + registrations.length === 0) return
    const number = this.#parts.length
    const numbered = number === 0 ? part : { group: { ...group, part: number }, folds }
    this.#parts.push(numbered)
    this.#ends.push(
      this.#context.store.write(numbered.group).then(
        (value) => ({ status: 'fulfilled', value }),
        (reason: unknown) => ({ status: 'rejected', reason }),
      ),
    )
  }

  async #repeat(group: Group, failure: InterstateError): Promise<GroupResult> {
    const { store, env, retryMs, unknown, stops } = this.#context
    for (let error = failure; ; ) {
      if (stops()) throw error
      unknown(error)
      await new Promise<void>((resolve) => void (env.setTimer(retryMs, resolve) satisfies TimerHandle))
      try {
        return await store.write(group)
      } catch (reason) {
        if (errorOf(reason).code === 'STORE_FENCED') throw reason
        // That a later attempt was refused says nothing of the first.
        error = uncertain(reason)
      }
    }
  }
}

function errorOf(reason: unknown): InterstateError {
  if (reason instanceof InterstateError) return reason
  return new InterstateError('STORE_FAILED', `The store failed: ${String(reason)}.`, {}, { cause: reason })
}

/** What was refused will be written: who waits for it must not think that it was not. */
function uncertain(reason: unknown): InterstateError {
  const error = errorOf(reason)
  if (error.code === 'STORE_UNCERTAIN') return error
  return new InterstateError('STORE_UNCERTAIN', 'Only a part of the group is written yet.', {}, { cause: error })
}

function wholeOf(parts: readonly Written[], results: readonly GroupResult[]): Ended {
  const [part] = parts
  const [result] = results
  if (parts.length === 1 && part !== undefined && result !== undefined) return { ...part, result }
  const last = parts.at(-1) as Written
  const lost = results.flatMap((each) => each.lost ?? [])
  return {
    group: { ...last.group, commits: parts.flatMap(({ group }) => group.commits) },
    folds: parts.flatMap(({ folds }) => folds),
    result: {
      ...(results.at(-1) as GroupResult),
      results: results.flatMap((each) => each.results),
      ...(lost.length > 0 && { lost }),
    },
  }
}
