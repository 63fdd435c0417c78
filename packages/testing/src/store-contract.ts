// store-contract.ts: what every store driver must hold: one suite for all of them.

import type { Scope } from '@interstate/core'
import { describe, test } from 'vitest'
import { anyHistory } from './store-contract/any-history.ts'
import { assignments } from './store-contract/assignments.ts'
import { atomicCommit } from './store-contract/atomic-commit.ts'
import { bells } from './store-contract/bells.ts'
import { boundedMemory } from './store-contract/bounded-memory.ts'
import { conservation } from './store-contract/conservation.ts'
import { crashCount } from './store-contract/crash-count.ts'
import { delivery } from './store-contract/delivery.ts'
import { departures } from './store-contract/departures.ts'
import { durability } from './store-contract/durability.ts'
import { effectsOnce } from './store-contract/effects-once.ts'
import { entries } from './store-contract/entries.ts'
import { fencing } from './store-contract/fencing.ts'
import { grouping } from './store-contract/grouping.ts'
import { checkStoreGuarantee, type OpenStore, type StoreGuarantee } from './store-contract/guarantee.ts'
import { healing } from './store-contract/healing.ts'
import { idempotency } from './store-contract/idempotency.ts'
import { laneHistory } from './store-contract/lane-history.ts'
import { messageOrder } from './store-contract/message-order.ts'
import { numbering } from './store-contract/numbering.ts'
import { oneShardWrites } from './store-contract/one-shard-writes.ts'
import { outbox } from './store-contract/outbox.ts'
import { paging } from './store-contract/paging.ts'
import { probes } from './store-contract/probes.ts'
import { sameAttempt } from './store-contract/same-attempt.ts'
import { singleHistory } from './store-contract/single-history.ts'
import { wakeUps } from './store-contract/wake-ups.ts'

/** All that a store must hold, by number, see {@link storeGuaranteesOf}. Each runs without a test runner, see {@link checkStoreGuarantee}. */
export const storeGuarantees: readonly StoreGuarantee[] = [
  ...probes,
  ...effectsOnce,
  ...outbox,
  ...atomicCommit,
  ...singleHistory,
  ...fencing,
  ...messageOrder,
  ...sameAttempt,
  ...durability,
  ...wakeUps,
  ...idempotency,
  ...crashCount,
  ...conservation,
  ...grouping,
  ...anyHistory,
  ...paging,
  ...boundedMemory,
  ...oneShardWrites,
  ...departures,
  ...numbering,
  ...delivery,
  ...entries,
  ...healing,
  ...laneHistory,
  ...assignments,
  ...bells,
].toSorted((one, other) => numberOf(one) - numberOf(other))

/** What a store of one scope must hold: a group of several shards, say, can be one write only where the scope is the store. */
export function storeGuaranteesOf(scope: Scope): readonly StoreGuarantee[] {
  return storeGuarantees.filter((each) => each.scope === undefined || each.scope === scope)
}

/** A guarantee that a store cannot give. It stays visible as a skipped test. */
export interface Waiver {
  readonly guarantee: StoreGuarantee['guarantee']
  /** The one sentence that is waived; all of the guarantee when left out. */
  readonly holds?: string
  readonly reason: string
}

/** What {@link storeContract} takes. */
export interface StoreContractOptions {
  readonly open: OpenStore
  /** Of the store: it chooses the guarantees. `store` by default; the suite turns red where it is another. */
  readonly scope?: Scope
  readonly waived?: readonly Waiver[]
}

/**
 * Registers every guarantee as a vitest test, `G4: a commit on another version than the stored one changes nothing`, under
 * the name of the store.
 *
 * @throws Error for a waiver that waives nothing: it outlived its reason.
 *
 * @example
 * ```ts
 * storeContract('memory', {
 *   scope: 'shard',
 *   open: ({ shards }) => {
 *     const store = memoryStore({ scope: 'shard', shards })
 *     return { store, reopen: async () => store }
 *   },
 *   waived: [{ guarantee: 'G8', reason: 'Memory ends with its process.' }],
 * })
 * ```
 */
export function storeContract(name: string, { open, scope = 'store', waived = [] }: StoreContractOptions): void {
  const guarantees = storeGuaranteesOf(scope)
  for (const waiver of waived) {
    if (!guarantees.some((each) => waives(waiver, each))) throw new Error(`Nothing to waive: ${waiver.guarantee}.`)
  }
  describe(name, () => {
    for (const each of guarantees) {
      const title = `${each.guarantee}: ${each.holds}`
      const waiver = waived.find((one) => waives(one, each))
      if (waiver === undefined) test(title, () => checkStoreGuarantee(each, open))
      else test.skip(`${title} (waived: ${waiver.reason})`)
    }
  })
}

function waives({ guarantee, holds }: Waiver, other: StoreGuarantee): boolean {
  return guarantee === other.guarantee && (holds === undefined || holds === other.holds)
}

function numberOf({ guarantee }: StoreGuarantee): number {
  return Number(guarantee.slice(1))
}
