// wiring.ts: who knows whom: entity types by name, followers by event. Checked once, when a host starts.
import { type EntityId, entityId, type Identity, parseEntityId } from './address.ts'
import { checkWiring } from './check-wiring.ts'
import type { AnyFollowed, Definition } from './entity.ts'
import { InterstateError } from './errors.ts'
import type { PlainObject } from './plain.ts'

/** A definition that follows an event, and how the event finds its entity. */
export interface Follower {
  readonly definition: Definition
  readonly followed: AnyFollowed
}

/** A system of machines, wired. */
export class Wiring {
  readonly definitions: ReadonlyMap<string, Definition>
  readonly #followers = new Map<string, Follower[]>()

  /** @throws InterstateError `WIRING_INVALID` with all findings in `details`. */
  constructor(definitions: readonly Definition[]) {
    this.definitions = new Map(definitions.map((definition) => [definition.name, definition]))
    for (const definition of definitions) {
      for (const followed of definition.follows) {
        const event = `${followed.contract.name}.${followed.event}`
        this.#followers.set(event, [...(this.#followers.get(event) ?? []), { definition, followed }])
      }
    }
    const findings = checkWiring(definitions)
    if (findings.length > 0) {
      const list = findings.map(({ code, place }) => `${place} (${code})`).join('; ')
      throw new InterstateError('WIRING_INVALID', `The entities don't fit together: ${list}.`, { findings })
    }
  }

  /** @throws InterstateError `ENTITY_UNKNOWN`. */
  definition(type: string): Definition {
    const found = this.definitions.get(type)
    if (found === undefined)
      throw new InterstateError('ENTITY_UNKNOWN', `No entity type "${type}" is hosted here.`, { type })
    return found
  }

  /** The definition behind a persisted name. */
  definitionOf(entity: EntityId): Definition {
    return this.definition(parseEntityId(entity).type)
  }

  /** Who follows an event, by its qualified name. */
  followersOf(event: string): readonly Follower[] {
    return this.#followers.get(event) ?? nobody
  }

  /**
   * The entities that an event goes to, each once: a saga may follow one event by two properties that name the same.
   *
   * @throws InterstateError `ADDRESS_INVALID` when the event carries no usable key.
   */
  receiversOf(event: string, source: Source, data: PlainObject): readonly EntityId[] {
    const receivers = this.followersOf(event).map((follower) => correlate(follower, source, data))
    return receivers.length < 2 ? receivers : [...new Set(receivers)]
  }
}

const nobody: readonly Follower[] = []
type Source = Pick<Identity, 'key' | 'tenant'>

/**
 * The entity that an event goes to.
 *
 * @throws InterstateError `ADDRESS_INVALID` when the event carries no usable key.
 */
export function correlate({ definition, followed }: Follower, source: Source, event: PlainObject): EntityId {
  try {
    return entityId(definition.name, keyOf(followed.correlation, source.key, event), source.tenant)
  } catch (cause) {
    const what = `${followed.contract.name}.${followed.event} names no "${definition.name}": ${messageOf(cause)}`
    throw new InterstateError('ADDRESS_INVALID', what, { saga: definition.name }, { cause })
  }
}

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : `${String(cause)}.`)

function keyOf(correlation: AnyFollowed['correlation'], sourceKey: string, event: PlainObject): string {
  switch (correlation.by) {
    case 'source':
      return sourceKey
    case 'property': {
      const key = event[correlation.property]
      return typeof key === 'number' ? String(key) : (key as string)
    }
    case 'function':
      return correlation.key(event)
  }
}
