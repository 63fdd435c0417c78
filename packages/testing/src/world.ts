// world.ts: one definition of a system under test: its machines, what comes from outside, what must hold. It drives the
// exhaustive search, the long random runs and the replay of what they found.
import type {
  Address,
  AnyContract,
  CommandFor,
  Definition,
  EventFor,
  PlainObject,
  TypedDefinition,
} from '@interstate/core'
import type { AnyStateMachine, ContextFrom } from 'xstate'
import type { Coverage } from './coverage.ts'
import { decodeToken } from './failure/token.ts'
import { type CheckOptions, type CheckReport, check, replayCheck } from './model/check.ts'
import { replaySimulation, type SimulateOptions, type SimulationReport, simulate } from './simulate/simulate.ts'
import { publish, type Stimulus, send } from './stimulus.ts'
import { checkAccepted, withoutAccepted } from './world/accepted.ts'
import { awaited } from './world/awaited.ts'
import { checkEntities, checkedModels, checkSource, invalid, plainOutside } from './world/input.ts'
import type { StimulusSource, WorldPlan } from './world/plan.ts'
import { property } from './world/property.ts'
import type { WorldView } from './world/view.ts'

type AnyAddress = Address<unknown, unknown>

/** What {@link world} takes. */
export interface WorldOptions {
  /** The same definitions that `createHost` takes. */
  readonly entities: readonly Definition[]
  /** Is told of every turn that a check or a simulation takes. */
  readonly coverage?: Coverage
}

/** What a set-up function gets: it makes calls, which are handled in order before anything else. */
export interface SetupScope {
  readonly send: <A extends AnyAddress>(to: A, command: CommandFor<A>) => void
  readonly publish: <A extends AnyAddress>(about: A, event: EventFor<A>) => void
}

/**
 * What an effect does in a world, see {@link World.effects}.
 *
 * @typeParam TInput - What the machine hands the effect. Only its name tells which effect it is, so a model that looks at
 * its input says its type: `({ input }: EffectCall<Ledger, Parcel>) => …`.
 */
export interface EffectCall<TOutside, TInput = never> {
  readonly input: TInput
  /** The same on every repeat of one run. An outside that remembers it acts once. */
  readonly idempotencyKey: string
  /** May be changed in place. */
  readonly outside: TOutside
}
type EffectFunction<TOutside> = (call: EffectCall<TOutside>) => unknown

type Holds<TOutside> = (w: WorldView<TOutside>) => boolean

/**
 * A world: each method gives a new one, so that worlds may share a beginning.
 *
 * @typeParam TOutside - What effects change, see {@link World.outside}.
 */
export class World<TOutside = PlainObject> {
  readonly #plan: WorldPlan

  /** @internal Made by {@link world}. */
  constructor(plan: WorldPlan) {
    this.#plan = plan
  }

  /** Calls that are made and handled before anything else, without faults. */
  setup(make: (w: SetupScope) => void): World<TOutside> {
    const calls: Stimulus[] = []
    const made: unknown = make({
      send: (to, command) => void calls.push(send(to, command)),
      publish: (about, event) => void calls.push(publish(about, event)),
    })
    if (made instanceof Promise) throw invalid('The set-up gave a promise: what it does later would be left out.')
    return this.#with({ setup: [...this.#plan.setup, ...calls] })
  }

  /**
   * What comes from outside, by name: lists of calls, or fast-check arbitraries of calls, of which some values are drawn.
   * Without it stimuli are derived from the schemas of the commands that no entity sends.
   */
  stimuli(sources: Readonly<Record<string, StimulusSource>>): World<TOutside> {
    for (const [name, source] of Object.entries(sources)) checkSource(name, source)
    return this.#with({ stimuli: new Map([...this.#plan.stimuli, ...Object.entries(sources)]) })
  }

  /** Holds after every turn. */
  always(name: string, holds: Holds<TOutside>): World<TOutside> {
    return this.#with({ always: [...this.#plan.always, property(this.#plan, name, holds)] })
  }

  /** Comes to hold once faults stop and delivery is fair, wherever the system was. */
  eventually(name: string, holds: Holds<TOutside>): World<TOutside> {
    return this.#with({ eventually: [...this.#plan.eventually, property(this.#plan, name, holds)] })
  }

  /** Holds at some moment of some run: the check is not vacuous. */
  sometimes(name: string, holds: Holds<TOutside>): World<TOutside> {
    return this.#with({ sometimes: [...this.#plan.sometimes, property(this.#plan, name, holds)] })
  }

  /** What the effects act on: plain data at the beginning. Properties see it as `w.outside`. */
  outside<T>(outside: T): World<T> {
    return new World<T>({ ...this.#plan, outside: plainOutside(outside) })
  }

  /**
   * What effects come to, by the name of their logic (`book`, or `fulfilment.book` where two machines use one name): a
   * function that gives the output or throws the error, or a list of functions that are all tried.
   */
  effects(
    models: Readonly<Record<string, EffectFunction<TOutside> | readonly EffectFunction<TOutside>[]>>,
  ): World<TOutside> {
    const { entities } = this.#plan
    const added = Object.entries(models).map(([name, ways]) => [name, checkedModels(entities, name, ways)] as const)
    return this.#with({ effects: new Map([...this.#plan.effects, ...added]) })
  }

  /**
   * Findings that are meant to be so, by the name that a failure gives as its `finding`: `STATE_UNREACHED
   * payment.refunding`, `MESSAGE_UNHANDLED fulfilment payment.Charged`, `TURN_FAILED payment Charge`, `SAGA_STUCK
   * fulfilment`, `MESSAGES_LOOP`; a property by its code and name, `INVARIANT_BROKEN money is conserved`, once it is told.
   *
   * @throws WorldError `WORLD_INVALID` for a name that no finding of this world can have.
   */
  accept(...found: readonly string[]): World<TOutside> {
    for (const name of found) checkAccepted(this.#plan, name)
    return this.#with({ accepted: new Set([...this.#plan.accepted, ...found]) })
  }

  /** What of a context tells two states apart, for the search. What it leaves out must not matter to any property. */
  abstract<M extends AnyStateMachine>(
    definition: TypedDefinition<unknown, M>,
    keep: (context: ContextFrom<M>) => unknown,
  ): World<TOutside> {
    const abstractions = new Map([...this.#plan.abstractions, [definition.name, keep as never] as const])
    return this.#with({ abstractions })
  }

  /** Keys of an entity type that may be exchanged without a difference: the search looks at one order of them only. */
  interchangeable(of: Pick<AnyContract, 'name'>, keys: readonly string[]): World<TOutside> {
    if (!this.#plan.entities.some(({ name }) => name === of.name)) throw invalid(`No "${of.name}" is in this world.`)
    return this.#with({ interchangeable: [...this.#plan.interchangeable, { type: of.name, keys }] })
  }

  /** Every order of delivery, timers, duplicates and crashes, at small scope. */
  check(options: CheckOptions = {}): Promise<CheckReport> {
    return awaited('check', check(withoutAccepted(this.#plan), options))
  }

  /** Long random runs of the real runtime on real stores, with faults. */
  simulate(options: SimulateOptions = {}): Promise<SimulationReport> {
    return awaited('simulate', simulate(withoutAccepted(this.#plan), options))
  }

  /**
   * Runs again what a failure's token stands for. Resolves when it no longer fails, be it that the story can no longer be
   * told to its end.
   *
   * @param held - `stores`: what a simulation was held on, where that was no store in memory.
   * @throws WorldError what it stands for; `REPLAY_DIFFERS` where nothing of the story is left: it is of another world.
   */
  replay(token: string, held: Pick<SimulateOptions, 'stores'> = {}): Promise<void> {
    return awaited('replay', this.#replay(token, held))
  }

  async #replay(token: string, held: Pick<SimulateOptions, 'stores'>): Promise<void> {
    const { by, options, run } = decodeToken(token)
    if (by === 'check') await replayCheck(withoutAccepted(this.#plan), options, run)
    else await replaySimulation(withoutAccepted(this.#plan), { ...options, ...held }, run)
  }

  #with(changes: Partial<WorldPlan>): World<TOutside> {
    return new World({ ...this.#plan, ...changes })
  }
}

/**
 * A system of machines under test.
 *
 * @throws InterstateError `WIRING_INVALID` when the entities don't fit together; WorldError `WORLD_INVALID` without any.
 *
 * @example
 * ```ts
 * const bank = world({ entities: [account, transfer] })
 *   .setup((w) => w.send(Account.at('A'), { type: 'Open', cents: 500 }))
 *   .always('no account is overdrawn', (w) => w.all(account).every(({ context }) => context.cents >= 0))
 * test('every interleaving, small scope', () => bank.check({ stimuli: 3 }))
 * ```
 */
export function world({ entities, coverage }: WorldOptions): World {
  checkEntities(entities)
  return new World({
    entities,
    coverage,
    setup: [],
    stimuli: new Map(),
    always: [],
    eventually: [],
    sometimes: [],
    effects: new Map(),
    outside: {},
    accepted: new Set(),
    abstractions: new Map(),
    interchangeable: [],
  })
}
