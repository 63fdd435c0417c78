// rest.ts: whether a system comes to rest when messages are simply handled one after the other, and who is stuck then.

import { stateName } from '../words.ts'
import type { WorldPlan } from '../world/plan.ts'
import type { State } from './layout.ts'
import type { Successor } from './successor.ts'
import type { System } from './system.ts'

/** Deliveries in a row after which a system is taken for one that never rests. */
export const mostDeliveries = 1_000

/** Where a system came to. */
export interface Rest {
  readonly state: State
  readonly isAtRest: boolean
  /** The steps taken: which of the successors, each time. */
  readonly ordinals: readonly number[]
  readonly trouble: Successor['trouble']
}

/**
 * Handles messages, and with `effects` lets effects act and end, until none is left. No timer fires.
 */
export function comesToRest(system: System, from: State, { effects }: { readonly effects: boolean }): Rest {
  const ordinals: number[] = []
  let state = from
  for (; ordinals.length < mostDeliveries; ) {
    const all = system.successors(state)
    const next = all.findIndex(({ step: { does } }) => does === 'deliver')
    const own = effects ? all.findIndex(({ step: { does } }) => does === 'act' || does === 'settle') : -1
    const chosen = next >= 0 ? next : own
    const successor = all[chosen]
    if (successor === undefined) return { state, isAtRest: true, ordinals, trouble: undefined }
    ordinals.push(chosen)
    if (successor.trouble !== undefined) return { state, isAtRest: false, ordinals, trouble: successor.trouble }
    state = successor.state
  }
  return { state, isAtRest: false, ordinals, trouble: undefined }
}

/** A saga that nothing moves on, in a state in which nothing is under way. */
export interface StuckSaga {
  readonly id: string
  readonly type: string
  readonly where: string
}

/**
 * A saga that is not done, that does nothing by itself, and that no stimulus would move on.
 *
 * @param isStill - Whether nothing that is under way will change the entity at this place any more.
 */
export function stuckSaga(
  plan: WorldPlan,
  system: System,
  state: State,
  isStill: (slot: number) => boolean,
): StuckSaga | undefined {
  for (const { kind, name } of plan.entities) {
    if (kind !== 'saga' || plan.accepted.has(`SAGA_STUCK ${name}`)) continue
    for (const slot of system.layout.ofType(name)) {
      const resident = system.resident(state, slot)
      if (resident === undefined || resident.isDone || resident.parked) continue
      if (resident.firstDue !== undefined || resident.running.length > 0 || !isStill(slot)) continue
      if (system.turns.probe(() => isMoved(system, state, slot))) continue
      return { id: resident.state.entity, type: name, where: stateName(resident.state.snapshot.value) }
    }
  }
  return undefined
}

function isMoved(system: System, state: State, slot: number): boolean {
  return system.pool.some(({ stimulus, name }) => {
    const called = system.call(state, stimulus, `would ${name} help`)
    if (called.state[slot] !== state[slot]) return true
    return comesToRest(system, called.state, { effects: true }).state[slot] !== state[slot]
  })
}
