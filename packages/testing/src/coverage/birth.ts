// birth.ts: the state in which a command meets an entity that it brings to life.
import { type Definition, type EntityId, parseEntityId } from '@interstate/core'
import { type AnyStateNode, getInitialSnapshot } from 'xstate'

/** The value of a machine's first state; for one with eventless transitions it depends on the entity's key. */
export class Birth {
  readonly #definition: Definition
  #same: unknown

  constructor(definition: Definition) {
    this.#definition = definition
  }

  valueFor(entity: EntityId): unknown {
    const { machine } = this.#definition
    if (this.#same !== undefined) return this.#same
    const value = firstValue(machine, parseEntityId(entity).key)
    if (!settlesAtBirth(machine.root)) this.#same = value
    return value
  }
}

function firstValue(machine: Definition['machine'], key: string): unknown {
  return getInitialSnapshot(machine, { key }).value
}

/** Whether something decides at birth in which state it ends. */
function settlesAtBirth(node: AnyStateNode): boolean {
  if (node.always !== undefined || node.entry.length > 0) return true
  return Object.values(node.states as Record<string, AnyStateNode>).some(settlesAtBirth)
}
