// system.ts: a world as a system of steps: its first state, and what may happen next in each.
//   S1  Messages of one sender to one receiver are handled in the order in which they were sent (G6); all else in any order.
//   S2  Each message is handled once (G1); only clients repeat calls, and only effects run again after a crash.
//   S3  An entity's timers fire in their order, none before it is due (G9), any of them as late as you like.
import { type Envelope, type RunningEffect, resultOf, timeoutsOf, type Wiring } from '@interstate/core'
import type { Stimulus } from '../stimulus.ts'
import type { WorldPlan } from '../world/plan.ts'
import type { NamedStimulus } from '../world/stimuli.ts'
import type { EntityView, Moment } from '../world/view.ts'
import type { Assumptions } from './assumptions.ts'
import { messagesOf } from './calls.ts'
import type { Canon } from './canonical.ts'
import { changed, Layout, place, type State } from './layout.ts'
import { Outside } from './outside.ts'
import { Queues } from './queues.ts'
import type { Step, Successor } from './successor.ts'
import { beginning, type Resident, type Turned, type TurnListener, Turns } from './turns.ts'

/** How much may come from outside. */
export interface Scope {
  readonly stimuli: number
  readonly duplicates: number
  readonly crashes: number
}

type Change = readonly [slot: number, value: number]

/** See the file head. */
export class System {
  readonly layout: Layout = new Layout()
  readonly turns: Turns
  readonly assumptions: Assumptions
  readonly pool: readonly NamedStimulus[]
  readonly queues: Queues = new Queues()
  readonly outside: Outside
  readonly #plan: WorldPlan
  readonly #wiring: Wiring
  readonly #scope: Scope

  constructor(
    plan: WorldPlan,
    wiring: Wiring,
    pool: readonly NamedStimulus[],
    scope: Scope,
    canon: Canon,
    onTurn: TurnListener,
  ) {
    this.#plan = plan
    this.#wiring = wiring
    this.pool = pool
    this.#scope = scope
    this.outside = new Outside(plan, canon)
    this.assumptions = canon.assumptions
    this.turns = new Turns(wiring, canon, this.layout, onTurn)
  }

  /** The state before anything has happened. */
  get empty(): State {
    const { stimuli, duplicates, crashes } = this.#scope
    return [stimuli, duplicates, crashes, this.outside.beginning, 0, 0, 0]
  }

  /** All that may happen next. */
  successors(state: State): readonly Successor[] {
    const found: Successor[] = []
    this.#deliveries(state, found)
    for (let slot = 0; slot < state.length; slot += 1) {
      if (state[slot] === 0 || this.layout.slots[slot]?.is !== 'entity') continue
      this.#own(state, slot, found)
    }
    this.#settlements(state, found)
    this.#calls(state, found)
    return found
  }

  /** All that may happen next without anybody outside: deliveries, timers, effects. */
  isInner({ step }: Successor): boolean {
    return step.does !== 'call' && step.does !== 'crash'
  }

  /** Makes a call, whatever the scope says: set-up, and the question whether it would help. */
  call(state: State, stimulus: Stimulus, name: string): Successor {
    const found: Successor[] = []
    const step = { does: 'call', stimulus: -1, again: false, after: 0 } as const
    this.#call(state, messagesOf(this.#wiring, stimulus, name), step, [], found)
    return found[0] as Successor
  }

  /** Places of all entities that calls from outside go to. */
  receivers(): readonly number[] {
    const envelopes = this.pool.flatMap(({ stimulus }) => messagesOf(this.#wiring, stimulus, 'call'))
    return [...new Set(envelopes.map(({ to }) => this.layout.entity(to)))]
  }

  resident(state: State, slot: number): Resident | undefined {
    const number = state[slot] ?? 0
    return number === 0 ? undefined : this.turns.entities.value(number)
  }

  /** The state as properties see it. */
  moment(state: State): Moment {
    const view = (slot: number): EntityView | undefined => this.resident(state, slot)?.view
    return {
      entitiesOf: (type) => this.layout.ofType(type).flatMap((slot) => view(slot) ?? []),
      entity: (id) => view(this.layout.entity(id)),
      underWay: [...this.#underWay(state)],
      outside: this.outside.looks.value(state[place.outside] as number),
    }
  }

  /** Messages that were sent and are not handled. */
  *#underWay(state: State): Generator<Envelope> {
    for (let slot = 0; slot < state.length; slot += 1) {
      if (state[slot] === 0 || this.layout.slots[slot]?.is !== 'lane') continue
      for (const message of this.queues.items(state[slot] as number)) yield this.turns.messages.value(message)
    }
  }

  #deliveries(state: State, found: Successor[]): void {
    for (let lane = 0; lane < state.length; lane += 1) {
      const queue = state[lane] as number
      const slot = this.layout.slots[lane]
      if (queue === 0 || slot?.is !== 'lane') continue
      if (this.resident(state, slot.to)?.parked === true) continue
      // What clients send has no order (S1).
      const places = slot.from === 'client' ? this.#different(queue) : [0]
      for (const item of places) this.#deliver(state, lane, slot.to, item, found)
    }
  }

  #different(queue: number): readonly number[] {
    const items = this.queues.items(queue)
    return [...new Set(items)].map((item) => items.indexOf(item))
  }

  #deliver(state: State, lane: number, slot: number, item: number, found: Successor[]): void {
    const queue = state[lane] as number
    const message = this.queues.items(queue)[item] as number
    const rest: Change = [lane, this.queues.remove(queue, item)]
    const take = (now: number): Turned => this.turns.take(slot, state[slot] ?? 0, message, now)
    this.#handle(state, slot, take, (after) => ({ does: 'deliver', lane, item, after }), [rest], found)
  }

  /** An entity takes a turn: at once, and at all other moments that matter. */
  #handle(
    state: State,
    slot: number,
    take: (now: number) => Turned,
    step: (after: number) => Step,
    changes: readonly Change[],
    found: Successor[],
    soonest = this.#now(state, slot),
  ): void {
    const atOnce = take(soonest)
    const passed = (now: number): readonly Change[] => [...changes, ...this.#passed(state, now)]
    found.push(this.#successor(state, slot, atOnce, step(0), passed(soonest)))
    const known = new Set([atOnce.entity])
    for (const now of this.#moments(state, slot, atOnce, soonest)) {
      const later = take(now)
      if (known.has(later.entity) && !this.assumptions.time) continue
      known.add(later.entity)
      found.push(this.#successor(state, slot, later, step(now - soonest), passed(now)))
    }
  }

  /** Who looks at the clock may see it right before a timer, too. */
  #moments(state: State, slot: number, { moments }: Turned, now: number): readonly number[] {
    const due = this.resident(state, slot)?.firstDue
    if (!this.assumptions.time || due === undefined || due <= now || moments.includes(due)) return moments
    return [...moments, due]
  }

  /** What an entity does by itself. */
  #own(state: State, slot: number, found: Successor[]): void {
    const resident = this.resident(state, slot)
    if (resident === undefined) return
    const { firstDue, running } = resident
    if (firstDue !== undefined && !resident.parked) this.#fire(state, slot, resident, firstDue, found)
    for (const effect of running) {
      if (!this.#hasActed(state, slot, effect)) this.#act(state, slot, resident, effect, found)
    }
  }

  #fire(state: State, slot: number, { state: entity }: Resident, due: number, found: Successor[]): void {
    const take = (now: number): Turned => {
      const firing = (): Envelope => timeoutsOf(entity, now)[0] as Envelope
      return this.turns.takeOwn(slot, state[slot] as number, 'fires', firing, now)
    }
    const soonest = Math.max(due, this.#now(state, slot))
    this.#handle(state, slot, take, (after) => ({ does: 'fire', entity: slot, after }), [], found, soonest)
  }

  #act(state: State, slot: number, resident: Resident, effect: string, found: Successor[]): void {
    const before = state[place.outside] as number
    const ways = this.outside.act(slot, state[slot] as number, resident, effect, before)
    ways.forEach(({ result, outside }, way) => {
      const results = this.queues.add(state[place.results] as number, result)
      found.push({
        step: { does: 'act', entity: slot, effect, way },
        entity: undefined,
        state: changed(state, [place.results, results], [place.outside, outside]),
      })
    })
  }

  #hasActed(state: State, slot: number, effect: string): boolean {
    const bag = state[place.results] as number
    if (bag === 0) return false
    return this.queues.items(bag).some((each) => {
      const result = this.outside.results.value(each)
      return result.slot === slot && result.effect === effect
    })
  }

  #settlements(state: State, found: Successor[]): void {
    const bag = state[place.results] as number
    if (bag === 0) return
    this.queues.items(bag).forEach((number, index) => {
      const { slot, effect, end } = this.outside.results.value(number)
      const resident = this.resident(state, slot) as Resident
      if (resident.parked) return
      const run = resident.state.running[effect] as RunningEffect
      const take = (now: number): Turned => {
        const message = (): Envelope => resultOf(resident.state.entity, effect, run, end, { run: 'result', now })
        return this.turns.takeOwn(slot, state[slot] as number, `result ${number}`, message, now)
      }
      const rest: Change = [place.results, this.queues.remove(bag, index)]
      this.#handle(state, slot, take, (after) => ({ does: 'settle', result: number, after }), [rest], found)
    })
    if ((state[place.crashes] as number) > 0) found.push({ step: { does: 'crash' }, ...this.#crash(state) })
  }

  #crash(state: State): { readonly entity: undefined; readonly state: State } {
    const left = (state[place.crashes] as number) - 1
    return { entity: undefined, state: changed(state, [place.results, 0], [place.crashes, left]) }
  }

  #calls(state: State, found: Successor[]): void {
    const stimuli = state[place.stimuli] as number
    const duplicates = state[place.duplicates] as number
    if (stimuli > 0) {
      for (let stimulus = 0; stimulus < this.pool.length; stimulus += 1) {
        const sent = duplicates === 0 ? 0 : this.#sent(state, stimulus)
        const changes: Change[] = [
          [place.stimuli, stimuli - 1],
          [place.sent, sent],
        ]
        this.#poolCall(state, { does: 'call', stimulus, again: false, after: 0 }, changes, found)
      }
    }
    for (const stimulus of this.queues.items(state[place.sent] as number)) {
      const sent = duplicates === 1 ? 0 : (state[place.sent] as number)
      const changes: Change[] = [
        [place.duplicates, duplicates - 1],
        [place.sent, sent],
      ]
      this.#poolCall(state, { does: 'call', stimulus, again: true, after: 0 }, changes, found)
    }
  }

  #sent(state: State, stimulus: number): number {
    const sent = state[place.sent] as number
    return this.queues.items(sent).includes(stimulus) ? sent : this.queues.add(sent, stimulus)
  }

  #poolCall(state: State, step: Step & { does: 'call' }, changes: readonly Change[], found: Successor[]): void {
    const { stimulus } = this.pool[step.stimulus] as NamedStimulus
    const count = this.#scope.stimuli + this.#scope.duplicates
    const left = (state[place.stimuli] as number) + (state[place.duplicates] as number)
    this.#call(state, messagesOf(this.#wiring, stimulus, `call-${count - left + 1}`), step, changes, found)
  }

  #call(
    state: State,
    envelopes: readonly Envelope[],
    step: Step & { does: 'call' },
    changes: readonly Change[],
    found: Successor[],
  ): void {
    const [only, ...more] = envelopes
    const slot = only === undefined ? undefined : this.layout.entity(only.to)
    if (only !== undefined && slot !== undefined && more.length === 0 && this.resident(state, slot)?.parked !== true) {
      const message = this.turns.message(only)
      const take = (now: number): Turned => this.turns.take(slot, state[slot] ?? 0, message, now)
      this.#handle(state, slot, take, (after) => ({ ...step, after }), changes, found)
      return
    }
    const sent = envelopes.map((each) => [this.layout.lane('client', each.to), this.turns.message(each)] as const)
    const next = this.#with(changed(state, ...changes), sent)
    found.push({ step, entity: undefined, state: next, sent: sent.map(([, message]) => message) })
  }

  #successor(state: State, slot: number, turned: Turned, step: Step, changes: readonly Change[]): Successor {
    const { entity, sent, outcome, trouble, dropped } = turned
    const base = changed(state, [slot, entity], ...changes)
    const next = this.#with(this.#withoutDropped(base, slot, dropped), sent)
    const accepted = trouble !== undefined && this.#plan.accepted.has(`${trouble.code} ${trouble.name}`)
    return {
      step,
      entity: slot,
      state: next,
      outcome,
      sent: sent.map(([, message]) => message),
      trouble: accepted ? undefined : trouble,
    }
  }

  /** Results that come too late: their effect was stopped, or began anew. */
  #withoutDropped(state: State, slot: number, dropped: readonly string[]): State {
    const bag = state[place.results] as number
    if (bag === 0 || dropped.length === 0) return state
    const left = this.queues.items(bag).filter((each) => {
      const result = this.outside.results.value(each)
      return result.slot !== slot || !dropped.includes(result.effect)
    })
    return changed(state, [place.results, this.queues.number(left)])
  }

  #with(state: State, sent: Turned['sent']): State {
    if (sent.length === 0) return state
    const next = new Map<number, number>()
    for (const [lane, message] of sent) {
      const queue = next.get(lane) ?? state[lane] ?? 0
      const slot = this.layout.slots[lane]
      const isBag = slot?.is === 'lane' && slot.from === 'client'
      next.set(lane, isBag ? this.queues.add(queue, message) : this.queues.push(queue, message))
    }
    return changed(state, ...next)
  }

  /** The time of an entity's turn. Where nobody looks at the clock each entity has a time of its own. */
  #now(state: State, slot: number): number {
    if (this.assumptions.time) return beginning + (state[place.time] as number)
    return this.resident(state, slot)?.state.now ?? beginning
  }

  #passed(state: State, now: number): readonly Change[] {
    if (!this.assumptions.time) return []
    return [[place.time, Math.max(state[place.time] as number, now - beginning)]]
  }
}
