// container.ts: one container: its settings, its items and its budgets.
import { Budget } from './budget.ts'
import { Refusal } from './exchange.ts'
import type { IndexingPolicy } from './indexing.ts'
import type { JsonObject } from './json.ts'
import { limits } from './limits.ts'
import { nameOf, type PartitionKey, type PartitionKeyDefinition } from './partition-key.ts'
import type { Storage } from './storage.ts'

/** What a container was created with. */
export interface ContainerSettings {
  readonly database: string
  readonly id: string
  /** Numbers that its resource id is made of. */
  readonly ids: readonly [database: number, container: number]
  readonly rid: string
  readonly partitionKey: PartitionKeyDefinition
  readonly indexing: IndexingPolicy
  /** Request units a second; `undefined` where the model does not throttle. */
  readonly throughput: number | undefined
  readonly properties: JsonObject
}

/** See the file head. */
export class Container {
  readonly settings: ContainerSettings
  readonly storage: Storage
  readonly #budget: Budget | undefined
  readonly #partitionBudgets = new Map<string, Budget>()

  constructor(settings: ContainerSettings, storage: Storage) {
    this.settings = settings
    this.storage = storage
    this.#budget = settings.throughput === undefined ? undefined : new Budget(settings.throughput)
  }

  get link(): string {
    return `dbs/${this.settings.database}/colls/${this.settings.id}`
  }

  /** Refuses with 429 while there are no request units. */
  admit(key: PartitionKey | undefined, now: number): void {
    const waitMs = Math.max(...this.#budgets(key).map((budget) => budget.waitMs(now)), 0)
    if (waitMs > 0) throw tooManyRequests(waitMs)
  }

  pay(charge: number, key: PartitionKey | undefined, now: number): void {
    for (const budget of this.#budgets(key)) budget.take(charge, now)
  }

  /** A logical partition has its own bound, which matters where the container has more. */
  #budgets(key: PartitionKey | undefined): readonly Budget[] {
    if (this.#budget === undefined) return []
    if (key === undefined || this.#budget.perSecond <= limits.partitionThroughput) return [this.#budget]
    const name = nameOf(key)
    const own = this.#partitionBudgets.get(name) ?? new Budget(limits.partitionThroughput)
    this.#partitionBudgets.set(name, own)
    return [this.#budget, own]
  }
}

/** Substatus 3200: over the provisioned throughput. */
export function tooManyRequests(retryAfterMs: number): Refusal {
  return new Refusal(429, 'The request rate is too large: more request units are asked for than are provisioned.', {
    substatus: 3200,
    headers: { 'x-ms-retry-after-ms': String(retryAfterMs) },
  })
}
