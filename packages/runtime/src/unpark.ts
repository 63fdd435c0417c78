// unpark.ts: lets a parked entity go on, as a person has decided.
import { type EntityId, InterstateError, type MessageId, type Trouble, timeoutsOf } from '@interstate/core'
import type { Leases } from './leases.ts'
import type { Loader } from './loader.ts'
import { Item, type Resident } from './resident.ts'
import type { Residents } from './residents.ts'
import { Wave, type WaveContext } from './wave.ts'

/** What it takes of a host. */
export interface UnparkContext {
  readonly residents: Residents
  readonly leases: Leases
  readonly loader: Loader
  readonly wave: WaveContext
  /** Gives why something was undone, or `undefined`. */
  readonly write: (wave: Wave) => Promise<string | undefined>
}

/**
 * See the file head. An errand.
 *
 * @param head - What becomes of the message it stopped at.
 * @throws InterstateError `ENTITY_NOT_PARKED`; `LEASE_LOST` where another host runs it; `STORE_FAILED` when that could not be written.
 */
export async function unpark(context: UnparkContext, entity: EntityId, head: 'retry' | 'dead-letter'): Promise<void> {
  const { residents, leases, loader, write } = context
  leases.own(residents.shardOf(entity))
  const resident = residents.get(entity)
  if (resident.phase === 'unloaded') await loader.load([resident])
  const { trouble } = resident
  if (resident.phase !== 'parked' || trouble === undefined) {
    throw new InterstateError('ENTITY_NOT_PARKED', `${entity} is not parked.`, { entity })
  }
  resident.phase = 'ready'
  const wave = new Wave(context.wave, 'each', 'from the inbox')
  if (head === 'dead-letter') await buryHead(wave, loader, resident, trouble)
  else wave.mark(resident, undefined)
  wave.end()
  const failure = await write(wave)
  if (failure !== undefined) {
    throw new InterstateError('STORE_FAILED', `${entity} was not unparked: ${failure}.`, { failure })
  }
  // All its messages wait in the store.
  resident.spilled = true
  residents.list(resident)
}

async function buryHead(wave: Wave, loader: Loader, resident: Resident, trouble: Trouble): Promise<void> {
  const { message, error, attempts } = trouble
  const text = `Put away by a person: ${error?.text ?? 'no reason kept'}`
  const why = new InterstateError('ENTITY_PARKED', text, { message })
  const fold = wave.fold(resident)
  // It need not be the first in the inbox: what came with it in one group may stand before it.
  const item = dropTimer(resident, message) ?? (await loader.find(resident.entity, message))
  if (item !== undefined) fold.bury(item, why, attempts)
  wave.mark(resident, undefined)
}

/** Takes the timer of a firing out of its entity; `undefined` where the message is no firing. */
function dropTimer(resident: Resident, message: MessageId): Item | undefined {
  const { state } = resident
  if (state === undefined) return undefined
  const firing = timeoutsOf(state, Number.POSITIVE_INFINITY).find(({ id }) => id === message)
  if (firing === undefined) return undefined
  const { [firing.data.timer as string]: _, ...timers } = state.timers
  resident.state = { ...state, timers }
  return new Item({ ...firing, created: state.now })
}
