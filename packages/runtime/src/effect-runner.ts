// effect-runner.ts: runs effects on the outside world after the commit that started them, at least once each.
import {
  type Definition,
  type EffectEnd,
  type EntityId,
  type Env,
  type Envelope,
  giveKey,
  logicOf,
  type Plain,
  plainCopy,
  type RunningEffect,
  resultOf,
} from '@interstate/core'
import { type AnyActor, type AnyActorLogic, createActor } from 'xstate'

/** An effect of an entity. */
export interface EffectRun {
  readonly entity: EntityId
  readonly definition: Definition
  /** Its id in the machine. */
  readonly id: string
  readonly effect: RunningEffect
}

/** What the runner tells its host. */
export interface EffectEvents {
  started(run: EffectRun): void
  /** The result is a message like any other. */
  ended(run: EffectRun, result: Envelope, end: { readonly ok: boolean }): void
}

/** See the file head. */
export class EffectRunner {
  readonly #env: Env
  readonly #events: EffectEvents
  readonly #most: number
  readonly #running = new Map<string, AnyActor>()
  readonly #waiting = new Map<string, EffectRun>()

  /** @param most - Effects that run at the same time; further ones wait. */
  constructor(env: Env, events: EffectEvents, most: number) {
    this.#env = env
    this.#events = events
    this.#most = most
  }

  /** Effects that run or wait to run. */
  get size(): number {
    return this.#running.size + this.#waiting.size
  }

  /** Starts an effect, unless it runs here already. */
  start(run: EffectRun): void {
    const { key } = run.effect
    if (this.#running.has(key) || this.#waiting.has(key)) return
    if (this.#running.size >= this.#most) this.#waiting.set(key, run)
    else this.#run(run)
  }

  /** Stops an effect that no one waits for any longer: its signal aborts, its result is dropped. */
  stop(key: string): void {
    this.#waiting.delete(key)
    const actor = this.#running.get(key)
    if (actor === undefined) return
    this.#running.delete(key)
    actor.stop()
    this.#runNext()
  }

  /** Stops all; a new host runs them again. */
  stopAll(): void {
    this.#waiting.clear()
    for (const key of [...this.#running.keys()]) this.stop(key)
  }

  #run(run: EffectRun): void {
    const { id, effect, definition } = run
    const logic = logicOf(definition.machine, effect.src) as AnyActorLogic
    const actor = createActor(logic, { id, input: effect.input })
    giveKey(actor, effect.key)
    this.#running.set(effect.key, actor)
    actor.subscribe({
      next: (snapshot: { status: string; output?: unknown }) => {
        if (snapshot.status === 'done') this.#end(run, { output: snapshot.output })
      },
      error: (error: unknown) => this.#end(run, { error }),
    })
    this.#events.started(run)
    actor.start()
  }

  #end(run: EffectRun, came: { readonly output?: unknown } | { readonly error: unknown }): void {
    if (!this.#running.delete(run.effect.key)) return
    const end = 'error' in came ? { error: describe(came.error) } : plainResult(came.output)
    const { entity, id, effect } = run
    const result = resultOf(entity, id, effect, end, { run: this.#env.id(), now: this.#env.now() })
    this.#events.ended(run, result, { ok: 'output' in end })
    this.#runNext()
  }

  #runNext(): void {
    for (const [key, run] of this.#waiting) {
      if (this.#running.size >= this.#most) return
      this.#waiting.delete(key)
      this.#run(run)
    }
  }
}

function plainResult(output: unknown): EffectEnd {
  try {
    return { output: output === undefined ? null : plainCopy(output, 'output of an effect') }
  } catch (error) {
    return { error: describe(error) }
  }
}

/** An error as plain data: what `onError` gets. */
function describe(error: unknown): Plain {
  if (error instanceof Error) return { name: error.name, message: error.message }
  try {
    return plainCopy(error ?? null, 'error of an effect')
  } catch {
    return { name: 'Error', message: String(error) }
  }
}
