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
import { type AnyStateMachine, matchesState } from 'xstate'

/** One entity at one moment. */
export interface EntityView<TMachine extends AnyStateMachine = AnyStateMachine>
  extends Pick<View<TMachine>, 'value' | 'context' | 'status' | 'output'> {
  /** `type/key`. */
  readonly entity: EntityId
  readonly key: string
  /** Whether a message stands at its head that it can't take. */
  readonly parked: boolean
  /** Whether it is in a state: `refunding`, or `{ paying: 'waiting' }`. */
  matches(value: string | object): boolean
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
    matches: (value) => matchesState(value as never, snapshot.value as never),
  } as EntityView
}

/** What a property sees of a moment. */
export function worldView(moment: Moment): WorldView {
  return {
    all: (definition) => moment.entitiesOf(definition.name) as never,
    any: (definition, is) => moment.entitiesOf(definition.name).some((each) => is(each as never)),
    one: (of) => moment.entity((of as unknown as AddressRef).id()) as never,
    get underWay() {
      return moment.underWay
    },
    get outside() {
      return moment.outside
    },
  }
}
