// view.ts: what properties see of a system of machines at one moment: its entities, its messages under way, the outside.
import {
  type Address,
  type AddressRef,
  type Definition,
  type EntityId,
  type EntityState,
  type Envelope,
  type PlainObject,
  parseEntityId,
  type TypedDefinition,
  type View,
} from '@interstate/core'
import { type AnyStateMachine, type AnyStateNode, matchesState, type SnapshotFrom } from 'xstate'

/** One entity at one moment. */
export interface EntityView<TMachine extends AnyStateMachine = AnyStateMachine>
  extends Pick<View<TMachine>, 'value' | 'context' | 'status' | 'output'> {
  /** `type/key`. */
  readonly entity: EntityId
  readonly key: string
  /** Whether a message stands at its head that it can't take. */
  readonly parked: boolean
  /**
   * Whether it is in a state: `refunding`, or `{ paying: 'waiting' }`.
   * @throws TypeError for a state that its machine does not have.
   */
  matches(value: Parameters<SnapshotFrom<TMachine>['matches']>[0]): boolean
}

/** A message that was sent and is not handled. */
export type MessageView = Pick<Envelope, 'kind' | 'to' | 'from' | 'type' | 'data'>

type MachineOf<D> = D extends TypedDefinition<unknown, infer M> ? M : AnyStateMachine
type MachineAt<A> = A extends Address<unknown, View<infer M>> ? M : AnyStateMachine

/** What a property sees. */
export interface WorldView<TOutside = PlainObject> {
  /** All entities of a definition that have handled something, by key. */
  all<D extends Definition>(definition: D): readonly EntityView<MachineOf<D>>[]
  /** Whether some entity of a definition is as it says. */
  any<D extends Definition>(definition: D, is: (entity: EntityView<MachineOf<D>>) => boolean): boolean
  /** One entity, or `undefined` before its first message. Its context is typed for an address from a definition. */
  one<A extends Address<unknown, unknown>>(of: A): EntityView<MachineAt<A>> | undefined
  /** Messages that were sent and are not handled, each once. */
  readonly underWay: readonly MessageView[]
  /** What the effects have done to the world outside, see `World.effects`. */
  readonly outside: TOutside
}

/** A moment of a system, as the search and the simulation hand it over. */
export interface Moment {
  /** All entities of a type, by key. */
  entitiesOf(type: string): readonly EntityView[]
  entity(id: EntityId): EntityView | undefined
  readonly underWay: readonly MessageView[]
  readonly outside: PlainObject
}

/** One entity as properties see it. */
export function viewOf(state: EntityState, parked: boolean): EntityView {
  const { snapshot, entity } = state
  return {
    entity,
    key: parseEntityId(entity).key,
    value: snapshot.value,
    context: snapshot.context,
    status: snapshot.status,
    output: snapshot.output,
    parked,
    matches: (value: string | object) => {
      if (!hasState(snapshot.machine, value)) throw noState(entity, value)
      return matchesState(value as never, snapshot.value as never)
    },
  } as EntityView
}

const known = new WeakMap<AnyStateMachine, Set<unknown>>()

/** A slip in the name of a state would never match, without a word. */
function hasState(machine: AnyStateMachine, value: string | object): boolean {
  const names = known.get(machine) ?? new Set()
  if (names.has(value)) return true
  const found = isUnder(machine.root, value)
  if (found && typeof value === 'string') known.set(machine, names.add(value))
  return found
}

function isUnder(node: AnyStateNode, value: unknown): boolean {
  const states = node.states as Readonly<Record<string, AnyStateNode>>
  const at = (name: string, inner: unknown): boolean =>
    Object.hasOwn(states, name) && (inner === undefined || isUnder(states[name] as AnyStateNode, inner))
  if (typeof value !== 'string') return Object.entries(value as object).every(([name, inner]) => at(name, inner))
  const [name = '', ...rest] = value.split('.')
  return at(name, rest.length === 0 ? undefined : rest.join('.'))
}

function noState(entity: EntityId, value: string | object): TypeError {
  return new TypeError(`${parseEntityId(entity).type} has no state ${JSON.stringify(value)}`)
}

/**
 * What a property sees of a moment.
 *
 * @param types - Entity types of the world: of another one there is nothing to see.
 */
export function worldView(moment: Moment, types?: ReadonlySet<string>): WorldView {
  const of = (type: string): string => {
    if (types === undefined || types.has(type)) return type
    throw new TypeError(`no "${type}" is in this world`)
  }
  return {
    all: (definition) => moment.entitiesOf(of(definition.name)) as never,
    any: (definition, is) => moment.entitiesOf(of(definition.name)).some((each) => is(each as never)),
    one: (address) => {
      const id = (address as unknown as AddressRef).id()
      of(parseEntityId(id).type)
      return moment.entity(id) as never
    },
    get underWay() {
      return moment.underWay
    },
    get outside() {
      return moment.outside
    },
  }
}
