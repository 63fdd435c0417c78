// errands.ts: effects on their way to the outside and back: each acts after a while, and its machine hears of it after another.
import { WorldError } from '../failure/error.ts'
import { Chance, seedFor } from './chance.ts'
import type { Chronicle, EffectEnd } from './chronicle.ts'
import { around } from './delays.ts'
import type { Durable } from './durable.ts'
import { type AskedEffect, copyOf } from './outside.ts'
import type { RunPlan } from './run-plan.ts'
import type { Timeline } from './timeline.ts'
import type { Verdict } from './verdict.ts'

/** What errands belong to. */
export interface ErrandsContext {
  readonly run: RunPlan
  /** Delays of the machines' timers, in milliseconds: an answer that comes about then is one that people forget. */
  readonly delays: readonly number[]
  readonly timeline: Timeline
  readonly durable: Durable
  readonly chronicle: Chronicle
  readonly verdict: Verdict
  /** The outside has changed. */
  readonly look: () => void
  readonly log: (line: string) => void
}

/** How often an effect takes about as long as a timer of the machines. */
const slowRate = 0.1

/** See the file head. */
export class Errands {
  readonly #context: ErrandsContext
  #underWay = 0

  constructor(context: ErrandsContext) {
    this.#context = context
  }

  /** Effects that have not acted yet. */
  get underWay(): number {
    return this.#underWay
  }

  /** Lets an effect act. Resolves to its output when the machine is to hear of it. */
  async perform(asked: AskedEffect): Promise<unknown> {
    const { run, timeline } = this.#context
    const { definition, name, args } = asked
    const asker = timeline.current
    const chance = new Chance(seedFor(run.seed, args.idempotencyKey), `${definition}.${name} ${timeline.now}`)
    const thereMs = this.#wayMs(chance)
    const backMs = this.#wayMs(chance)
    this.#underWay += 1
    // Nobody's: what was asked for happens, whatever becomes of who has asked.
    await timeline.wait(thereMs)
    this.#underWay -= 1
    const end = this.#act(asked, chance)
    await timeline.wait(backMs, asker)
    if ('error' in end) throw end.error
    return end.output
  }

  #wayMs(chance: Chance): number {
    const { run, delays } = this.#context
    if (run.latency === 'steady') return 5
    return delays.length > 0 && chance.hits(slowRate) ? around(delays, chance) : chance.ms(1, 2_000)
  }

  #act({ definition, name, ways, args }: AskedEffect, chance: Chance): EffectEnd {
    const { durable, chronicle, log, look } = this.#context
    const { outside } = durable
    const { idempotencyKey, input } = args
    const before = copyOf(outside)
    let end: EffectEnd
    try {
      end = { output: chance.pick(ways())({ input: input as never, idempotencyKey, outside }) }
    } catch (error) {
      end = { error }
      if (error instanceof WorldError) this.#refused(name, error)
    }
    log(`effect ${definition}.${name} ${idempotencyKey} ${'error' in end ? 'fails' : 'done'}`)
    chronicle.acted(idempotencyKey, name, end, before, outside)
    look()
    return end
  }

  #refused(name: string, error: WorldError): void {
    this.#context.verdict.find({ code: error.code, name, what: error.what, cause: error })
  }
}
