// answer.ts: what a command found out, for a person and for a program.
import type { StoreDriver } from '@interstate/core'
import type { Outside } from './outside.ts'
import { Refusal } from './refusal.ts'
import type { Style } from './tables.ts'

/** What a command is given. */
export interface Context {
  readonly store: StoreDriver
  readonly outside: Outside
  readonly style: Style
}

/** What a command gives. */
export interface Answer {
  /** For `--json`: its field names stay. */
  readonly document: object
  /** For a person. */
  readonly text: string
}

/**
 * Lets a person decide. `isGiven` is `--yes`: it was decided before.
 *
 * @throws Refusal `NOT_CONFIRMED`.
 */
export async function confirm({ confirm: ask }: Outside, isGiven: boolean, question: string): Promise<void> {
  if (isGiven) return
  if (ask === undefined) {
    throw new Refusal(
      'NOT_CONFIRMED',
      'nobody is at a terminal to be asked',
      'give --yes when it is meant; nothing was changed',
    )
  }
  if (!(await ask(question))) throw new Refusal('NOT_CONFIRMED', 'it was not confirmed', 'nothing was changed')
}

/** All shards of a store. */
export function shardsOf({ shards }: StoreDriver): readonly number[] {
  return Array.from({ length: shards }, (_, shard) => shard)
}

/** Does something for each of many, `width` at a time, in order of the results. */
export async function forEach<T, R>(items: readonly T[], width: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (let start = 0; start < items.length; start += width) {
    results.push(...(await Promise.all(items.slice(start, start + width).map(work))))
  }
  return results
}
