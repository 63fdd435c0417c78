// wiring.ts: who knows whom: entity types by name, followers by event. Checked once, when a host starts.
import { type EntityId, entityId, type Identity, parseEntityId } from './address.ts'
import type { AnyFollowed, Definition } from './entity.ts'
import { InterstateError } from './errors.ts'
import type { PlainObject } from './plain.ts'
import { statesOf } from './structure.ts'

/** One defect of a system of machines. */
export interface Finding {
  /** Permanent, for example `event-without-publisher`. */
  readonly code:
    | 'command-without-receiver'
    | 'command-without-transition'
    | 'contract-differs'
    | 'entity-defined-twice'
    | 'event-without-publisher'
  /** Where: `fulfilment follows order.Submitted`. */
  readonly place: string
  /** What to do. */
  readonly remedy: string
}

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

/** The static check: every command sent has a receiver, every followed event a publisher. */
export function checkWiring(definitions: readonly Definition[]): readonly Finding[] {
  return [
    ...checkNames(definitions),
    ...definitions.flatMap((definition) => checkFollows(definition, definitions)),
    ...definitions.flatMap((definition) => checkSends(definition, definitions)),
    ...definitions.flatMap(checkTransitions),
  ]
}

function checkNames(definitions: readonly Definition[]): Finding[] {
  const names = definitions.map((definition) => definition.name)
  return names
    .filter((name, index) => names.indexOf(name) !== index)
    .map((name) => ({ code: 'entity-defined-twice', place: name, remedy: 'Give each entity type one definition.' }))
}

function checkFollows(definition: Definition, definitions: readonly Definition[]): Finding[] {
  return definition.follows.flatMap(({ contract, event }): Finding[] => {
    const place = `${definition.name} follows ${contract.name}.${event}`
    const publisher = definitions.find((each) => each.name === contract.name)
    if (publisher === undefined) {
      return [
        { code: 'event-without-publisher', place, remedy: `Add the definition of "${contract.name}" to entities.` },
      ]
    }
    return publisher.contract === contract ? [] : [differs(place)]
  })
}

function checkSends(definition: Definition, definitions: readonly Definition[]): Finding[] {
  return definition.sends.flatMap((contract): Finding[] => {
    const place = `${definition.name} sends to ${contract.name}`
    const receiver = definitions.find((each) => each.name === contract.name)
    if (receiver === undefined) {
      return [
        { code: 'command-without-receiver', place, remedy: `Add the definition of "${contract.name}" to entities.` },
      ]
    }
    return (receiver.contract as unknown) === contract ? [] : [differs(place)]
  })
}

function differs(place: string): Finding {
  return {
    code: 'contract-differs',
    place,
    remedy: 'Import one contract object on both sides instead of declaring it twice.',
  }
}

function checkTransitions(definition: Definition): Finding[] {
  // Not machine.events: it leaves out a transition that does nothing, which is a way to take a message too.
  const accepted = statesOf(definition.machine.root).flatMap((node) => [...node.transitions.keys()])
  const takes = (type: string): boolean => accepted.some((descriptor) => matches(descriptor, type))
  const commands = Object.keys(definition.contract.commands)
    .filter((command) => !takes(command) && !definition.ignores.has(command))
    .map(
      (command): Finding => ({
        code: 'command-without-transition',
        place: `${definition.name} takes ${command}`,
        remedy: 'Handle it in some state, list it in `ignores`, or drop it from the contract.',
      }),
    )
  return commands
}

/** XState's matching of `on` keys: exact, `*`, or `name.*`. */
function matches(descriptor: string, type: string): boolean {
  if (descriptor === type || descriptor === '*') return true
  return descriptor.endsWith('.*') && `${type}.`.startsWith(descriptor.slice(0, -1))
}
