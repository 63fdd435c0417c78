// resumption.ts: effects that ran when the last owner ended run again, under their old keys.
import type { EntityId, Envelope, ShardId, StoreDriver } from '@interstate/core'
import type { EffectEvents, EffectRunner } from './effect-runner.ts'
import type { Loader } from './loader.ts'
import type { Residents } from './residents.ts'
import type { Tally } from './tally.ts'

/** What it takes of a host. */
export interface ResumptionContext {
  readonly store: StoreDriver
  readonly residents: Residents
  readonly loader: Loader
  readonly effects: EffectRunner
}

const page = 1_000

/** See the file head. */
export async function resumeEffects(shards: readonly ShardId[], context: ResumptionContext): Promise<void> {
  const { store, residents, loader, effects } = context
  let after: EntityId | undefined
  for (;;) {
    const found = await store.unsettled(shards, after, page)
    const wanted = found.map((entity) => residents.get(entity))
    await loader.load(wanted)
    for (const { entity, definition, state } of wanted) {
      if (definition === undefined) continue
      for (const [id, effect] of Object.entries(state?.running ?? {})) effects.start({ entity, definition, id, effect })
    }
    after = found.at(-1)
    if (found.length < page) return
  }
}

/** What a host tells and does about its effects. @param arrive - Lets a result in. */
export function effectEvents(tally: Tally, arrive: (result: Envelope) => void): EffectEvents {
  return {
    started: ({ entity, id, effect }) => tally.tell({ signal: 'effect-started', entity, effect: id, key: effect.key }),
    ended: ({ entity, id, effect }, result, { ok }) => {
      tally.tell({ signal: 'effect-ended', entity, effect: id, key: effect.key, ok })
      arrive(result)
    },
  }
}
