// store-contract.ts: what every store driver must hold: one suite for all of them.
import { describe, test } from 'vitest'
import { anyHistory } from './store-contract/any-history.ts'
import { atomicCommit } from './store-contract/atomic-commit.ts'
import { boundedMemory } from './store-contract/bounded-memory.ts'
import { conservation } from './store-contract/conservation.ts'
import { crashCount } from './store-contract/crash-count.ts'
import { durability } from './store-contract/durability.ts'
import { effectsOnce } from './store-contract/effects-once.ts'
import { fencing } from './store-contract/fencing.ts'
import { grouping } from './store-contract/grouping.ts'
import { checkStoreGuarantee, type StoreGuarantee, type StoreUnderTest } from './store-contract/guarantee.ts'
import { idempotency } from './store-contract/idempotency.ts'
import { messageOrder } from './store-contract/message-order.ts'
import { outbox } from './store-contract/outbox.ts'
import { paging } from './store-contract/paging.ts'
import { probes } from './store-contract/probes.ts'
import { sameAttempt } from './store-contract/same-attempt.ts'
import { singleHistory } from './store-contract/single-history.ts'
import { wakeUps } from './store-contract/wake-ups.ts'

/** All that a store must hold, by number. Each runs without a test runner, see {@link checkStoreGuarantee}. */
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
].toSorted((one, other) => numberOf(one) - numberOf(other))

/** A guarantee that a store cannot give. It stays visible as a skipped test. */
export interface Waiver {
  readonly guarantee: StoreGuarantee['guarantee']
  /** The one sentence that is waived; all of the guarantee when left out. */
  readonly holds?: string
  readonly reason: string
}

/** What {@link storeContract} takes. */
export interface StoreContractOptions {
  /** Opens a fresh, empty store. */
  readonly open: () => StoreUnderTest | Promise<StoreUnderTest>
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
 *   open: () => {
 *     const store = memoryStore()
 *     return { store, reopen: async () => store }
 *   },
 *   waived: [{ guarantee: 'G8', reason: 'Memory ends with its process.' }],
 * })
 * ```
 */
export function storeContract(name: string, { open, waived = [] }: StoreContractOptions): void {
  for (const waiver of waived) {
    if (!storeGuarantees.some((each) => waives(waiver, each))) throw new Error(`Nothing to waive: ${waiver.guarantee}.`)
  }
  describe(name, () => {
    for (const each of storeGuarantees) {
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
