// run.ts: one run: real hosts on a real store, with calls and faults as its plan says, and then without faults until
// everything has come to rest.
//   R1  After every durable commit, and after every effect, `always` is held against what is durable.
//   R2  What is found ends the run as soon as its story can be told.
//   R3  Nothing of a run depends on anything but the world, the plan of the run and the store.
import {
  type Definition,
  type Group,
  type GroupResult,
  InterstateError,
  type MessageId,
  parseEntityId,
} from '@interstate/core'
import type { Policies, Signal } from '@interstate/runtime'
import type { FindingCode } from '../failure/catalogue.ts'
import { WorldError } from '../failure/error.ts'
import type { Story } from '../failure/story.ts'
import { checkHistory } from '../history/check.ts'
import { History } from '../history/history.ts'
import type { Stimulus } from '../stimulus.ts'
import type { StoreUnderTest } from '../store-contract/guarantee.ts'
import type { WorldPlan } from '../world/plan.ts'
import { Chance, seedFor } from './chance.ts'
import { Chronicle, type EffectEnd } from './chronicle.ts'
import { Client } from './client.ts'
import { Durable } from './durable.ts'
import type { FaultName } from './fault.ts'
import { Hosts } from './hosts.ts'
import { type Found, Judge } from './judge.ts'
import { type AskedEffect, copyOf } from './outside.ts'
import type { Process } from './process.ts'
import type { Action, CallAction, RunPlan } from './run-plan.ts'
import { Site } from './site.ts'
import { Timeline } from './timeline.ts'

/** What a run needs beside its plan. */
export interface RunContext {
  readonly plan: WorldPlan
  /** The definitions with models for effects; their effects come to the run that is under way. */
  readonly definitions: readonly Definition[]
  readonly open: () => StoreUnderTest | Promise<StoreUnderTest>
  readonly policies: Policies
  /** Names of `sometimes` that have held, of all runs. */
  readonly seen: Set<string>
}

/** What is counted of a run. */
export interface RunCounts {
  turns: number
  commits: number
  crashes: number
  virtualMs: number
  readonly faults: Partial<Record<FaultName, number>>
}

/** How a run ended. */
export interface RunResult {
  readonly counts: RunCounts
  /** Everything that happened, line by line. */
  readonly log: readonly string[]
  readonly found: Found | undefined
  readonly story: Story
}

const startMs = Date.UTC(2026, 0, 1)
/** A longer chain of messages without a timer or a call in between goes on for ever. */
const longestChain = 400
/** Timers that are waited for at the end, one after the other: some machines set one for ever. */
const mostTimers = 200
/** A host that has not come to rest after so long never does, in milliseconds. */
const restMs = 7 * 86_400_000

/** See the file head. */
export class Run {
  readonly #context: RunContext
  readonly #run: RunPlan
  readonly #timeline = new Timeline()
  readonly #clock = { stepMs: 0, now: (): number => startMs + this.#timeline.now + this.#clock.stepMs }
  readonly #history: History = new History(this.#clock)
  readonly #chance: Chance
  readonly #durable: Durable
  readonly #chronicle: Chronicle
  readonly #judge: Judge
  readonly #client: Client
  readonly #log: string[] = []
  readonly #counts: RunCounts = { turns: 0, commits: 0, crashes: 0, virtualMs: 0, faults: {} }
  readonly #depths = new Map<MessageId, number>()
  #hosts: Hosts | undefined
  /** Effects on their way to the outside. */
  #acting = 0
  #slow: readonly { readonly until: number; readonly ms: number }[] = []
  #found: Found | undefined
  /** The process whose write was found wrong, and which has not told of it yet. */
  #teller: Process | undefined
  #isOver = false
  /** Place in the history at which the story ends; `undefined` for its end. */
  #end: number | undefined
  #hasBegun = false

  constructor(context: RunContext, run: RunPlan) {
    const { plan, definitions, seen } = context
    this.#context = context
    this.#run = run
    this.#chance = new Chance(run.seed, 'latency')
    this.#durable = new Durable(definitions, copyOf(plan.outside))
    const calls = run.actions.filter((each): each is CallAction => each.do === 'call')
    this.#chronicle = new Chronicle(this.#durable, calls, this.#history)
    this.#judge = new Judge(plan, this.#durable, seen)
    this.#client = new Client({
      timeline: this.#timeline,
      definitions: new Map(definitions.map((each) => [each.name, each])),
      startMs,
      chance: new Chance(run.seed, 'client'),
      process: () => this.#hosts?.current,
      latency: () => this.#latency(),
      log: (line) => this.#say(line),
      failed: (call, error) => this.#callFailed(call, error),
    })
  }

  /** Runs it, once. */
  async go(): Promise<RunResult> {
    const site = new Site(await this.#context.open(), this.#timeline)
    const hosts = this.#hostsOn(site)
    this.#hosts = hosts
    try {
      hosts.start()
      await this.#setUp()
      if (!this.#isOver) await this.#act()
      if (!this.#isOver) await this.#comeToRest(hosts)
      this.#judgeTheEnd({ atRest: !this.#isOver })
    } finally {
      hosts.kill()
      await site.close()
    }
    this.#counts.virtualMs = this.#timeline.now
    if (this.#found !== undefined) this.#say(`found ${this.#found.code} ${this.#found.name}`)
    return { counts: this.#counts, log: this.#log, found: this.#found, story: this.#chronicle.story(this.#end) }
  }

  /** An effect acts on the outside after a while; the machine hears of it after another. */
  async perform({ definition, name, ways, args }: AskedEffect): Promise<unknown> {
    const { timeline, outside } = { timeline: this.#timeline, outside: this.#durable.outside }
    const { idempotencyKey, input } = args
    const asker = timeline.current
    const chance = new Chance(seedFor(this.#run.seed, idempotencyKey), `${definition}.${name} ${timeline.now}`)
    const [thereMs, backMs] = this.#run.latency === 'steady' ? [5, 5] : [chance.ms(1, 2_000), chance.ms(1, 2_000)]
    this.#acting += 1
    // Nobody's: what was asked for happens, whatever becomes of who has asked.
    await timeline.wait(thereMs)
    this.#acting -= 1
    const before = copyOf(outside)
    let end: EffectEnd
    try {
      end = { output: chance.pick(ways())({ input: input as never, idempotencyKey, outside }) }
    } catch (error) {
      end = { error }
      if (error instanceof WorldError) this.#find({ code: error.code, name, what: error.message, cause: error })
    }
    this.#say(`effect ${definition}.${name} ${idempotencyKey} ${'error' in end ? 'fails' : 'done'}`)
    this.#chronicle.acted(idempotencyKey, name, end, before, outside)
    this.#look()
    await timeline.wait(backMs, asker)
    if ('error' in end) throw end.error
    return end.output
  }

  #hostsOn(site: Site): Hosts {
    const { definitions, policies } = this.#context
    const { groupTurns, maxLive, seed } = this.#run
    return new Hosts({
      timeline: this.#timeline,
      clock: this.#clock,
      site,
      history: this.#history,
      definitions,
      // Crashes come by chance here: no message is to blame for them.
      policies: { groupTurns, maxLive, ...policies, retry: { crashes: 1_000_000, ...policies.retry } },
      seed,
      latency: () => this.#latency(),
      events: {
        signal: (process, signal) => this.#signal(process, signal),
        written: (process, group, result) => this.#written(process, group, result),
        heard: (process) => this.#heard(process),
        ended: (process) => this.#ended(process),
        strikes: (fault, from, what) => this.#strikes(fault, from, what),
        notes: (from, what) => this.#chronicle.note({ from, to: 'host', what }),
        failed: (process, error) => this.#couldNotStart(process, error),
        log: (line) => this.#say(line),
      },
    })
  }

  /** Each call is made when what follows from the one before has come to rest. */
  async #setUp(): Promise<void> {
    for (const [index, { call, address, message }] of this.#context.plan.setup.entries()) {
      const entity = (address as unknown as Stimulus & { id(): CallAction['entity'] }).id()
      const data = JSON.parse(JSON.stringify(message)) as CallAction['message']
      this.#client.make({ do: 'call', at: 0, number: -1 - index, call, entity, message: data, keyed: true })
      await this.#drain()
    }
    await this.#drain()
    this.#hasBegun = true
    this.#chronicle.begin()
    this.#look()
  }

  async #act(): Promise<void> {
    const { actions } = this.#run
    const begin = this.#timeline.now
    for (const action of actions) this.#timeline.after(action.at, undefined, () => this.#do(action))
    const last = actions.reduce((latest, { at }) => Math.max(latest, at), 0)
    await this.#timeline.run({ until: () => this.#isOver, end: begin + last })
  }

  #do(action: Action): void {
    this.#say(JSON.stringify(action))
    switch (action.do) {
      case 'call':
        this.#client.make(action)
        return
      case 'redelivery':
        this.#repeat(action.number)
        return
      case 'delay':
        this.#strikes('delay', undefined, '')
        this.#slow = [...this.#slow, { until: this.#timeline.now + action.forMs, ms: action.ms }]
        return
      case 'clockStep':
        this.#strikes('clockStep', 'host', `has its clock set ${action.byMs > 0 ? 'forward' : 'back'}`)
        this.#clock.stepMs += action.byMs
        return
      default:
        this.#hosts?.strike(action)
    }
  }

  #repeat(number: number): void {
    const call = this.#run.actions.find((each): each is CallAction => each.do === 'call' && each.number === number)
    if (call?.keyed !== true) return
    this.#strikes('redelivery', undefined, '')
    this.#client.make(call)
  }

  /** Without faults: everything that waits for a time gets it. */
  async #comeToRest(hosts: Hosts): Promise<void> {
    this.#say('no more faults')
    this.#slow = []
    hosts.calm()
    for (let timers = 0; timers < mostTimers; timers += 1) {
      await this.#drain()
      const next = this.#durable.nextWakeUp(this.#clock.now())
      if (next === undefined || this.#isOver) return
      await this.#timeline.run({ until: () => this.#isOver, end: this.#timeline.now + next - this.#clock.now() })
    }
  }

  /** Lets time pass until nothing is left to do but what waits for a later time, or for a person. */
  async #drain(): Promise<void> {
    const end = this.#timeline.now + restMs
    let drained: Process | undefined
    let asked: Process | undefined
    const isCalm = (): boolean => {
      const { current } = this.#hosts ?? {}
      if (this.#client.pending > 0 || this.#acting > 0 || current?.host === undefined) return false
      if (drained === current) return true
      if (asked === current) return false
      asked = current
      const noLonger = (): void => {
        if (asked === current) asked = undefined
      }
      // After a while: a host that is being stopped refuses, and what it waits for must have its time.
      this.#timeline.after(10, current, () =>
        current.host?.drain().then(() => {
          // A call, or an effect, may have come meanwhile.
          if (this.#client.pending === 0 && this.#acting === 0) drained = current
          else noLonger()
        }, noLonger),
      )
      return false
    }
    await this.#timeline.run({ until: () => this.#isOver || isCalm(), end })
    if (this.#isOver || drained !== undefined) return
    this.#broken('G16', 'The host does not come to rest, without any fault.')
  }

  /** A broken guarantee comes first: what else is found may follow from it. */
  #judgeTheEnd({ atRest }: { readonly atRest: boolean }): void {
    const found = atRest ? this.#judge.atRest() : undefined
    if (found !== undefined) this.#find(found)
    const [violation] = checkHistory(this.#history.events, { atRest })
    if (violation === undefined) return
    const { guarantee, what } = violation
    if (this.#context.plan.accepted.has(`GUARANTEE_BROKEN ${guarantee}`)) return
    this.#found = broken(guarantee, what)
    // The turns of a write are told when its host hears of it: before the next write.
    const { events } = this.#history
    const next = events.findIndex(({ event }, index) => event === 'written' && index > violation.at)
    this.#end = next === -1 ? undefined : next
  }

  #written(process: Process, group: Group, result: GroupResult): void {
    const outcomes = result.results.map(({ outcome }, index) => `${group.commits[index]?.entity} ${outcome}`)
    this.#say(`${process.name} writes ${group.tag}: ${[`+${group.accepted.length}`, ...outcomes].join(', ')}`)
    const written = this.#durable.write(group, result)
    this.#counts.commits += written.changes.length
    this.#chronicle.written(process, written)
    const foundBefore = this.#found
    if (written.changes.length > 0) this.#look()
    if (foundBefore === undefined && this.#found !== undefined && process.state === 'alive') {
      // What the turns were, its host tells when it hears of its write.
      this.#isOver = false
      this.#teller = process
    }
  }

  #heard(process: Process): void {
    this.#chronicle.heard(process)
    if (this.#teller === process) this.#isOver = true
  }

  #ended(process: Process): void {
    this.#chronicle.ended(process)
    if (this.#teller === process) this.#isOver = true
  }

  #signal(process: Process, signal: Signal): void {
    this.#say(`${process.name} ${textOf(signal)}`)
    switch (signal.signal) {
      case 'turn':
        this.#turn(process, signal)
        return
      case 'effect-started':
        this.#chronicle.effectStarted(process, signal)
        return
      case 'retry':
      case 'dead-letter':
      case 'parked':
        this.#failedTurn(signal)
        return
      case 'held':
        this.#find({ code: 'TURN_FAILED', name: signal.entity, what: signal.error.message, cause: signal.error })
        return
      case 'fatal':
        this.#fatal(process, signal.error)
        return
    }
  }

  #turn(process: Process, signal: Extract<Signal, { signal: 'turn' }>): void {
    this.#counts.turns += 1
    this.#chronicle.turn(process, signal)
    const depth = signal.type === 'timeout' ? 0 : (this.#depths.get(signal.causationId) ?? 0) + 1
    this.#depths.set(signal.message, depth)
    if (depth < longestChain) return
    const name = `${parseEntityId(signal.entity).type} ${signal.type}`
    this.#find({ code: 'MESSAGES_LOOP', name, what: `${longestChain} messages follow from one, and no end of them.` })
  }

  #failedTurn(signal: Extract<Signal, { signal: 'retry' | 'dead-letter' | 'parked' }>): void {
    const { entity, message, code, text } = signal
    const type = this.#durable.envelope(message)?.type ?? (message.startsWith(`${entity}#`) ? 'timeout' : 'result')
    const name = `${parseEntityId(entity).type} ${type}`
    const isUnhandled = code === 'MESSAGE_REFUSED'
    const found: FindingCode = code === 'NOT_DETERMINISTIC' ? code : isUnhandled ? 'MESSAGE_UNHANDLED' : 'TURN_FAILED'
    this.#chronicle.note({ from: 'host', to: entity, what: type, outcome: isUnhandled ? 'unhandled' : 'fails' })
    this.#find({ code: found, name, what: text })
  }

  #fatal(process: Process, error: InterstateError): void {
    this.#chronicle.note({ from: 'store', to: 'host', what: 'fences it off', note: 'another host has taken over' })
    if (!process.isSuperseded)
      this.#broken('G16', `A host that nobody took over from ended by itself: ${error.message}`)
  }

  #couldNotStart(process: Process, error: unknown): void {
    this.#say(`${process.name} could not start: ${String(error)}`)
    const code = error instanceof InterstateError ? error.code : undefined
    if (code !== 'STORE_FAILED' && code !== 'STORE_FULL') throw error
  }

  #callFailed({ entity, message }: CallAction, cause: unknown): void {
    const what = `The call ${message.type} to ${entity} is refused: ${String(cause)}.`
    const isOurs = cause instanceof InterstateError && cause.code.startsWith('IDEMPOTENCY_KEY')
    if (isOurs) this.#broken('G10', what)
    else this.#find({ code: 'WORLD_INVALID', name: message.type, what, cause })
  }

  #strikes(fault: FaultName, from: 'host' | 'store' | undefined, what: string): void {
    this.#say(`fault ${fault}`)
    this.#counts.faults[fault] = (this.#counts.faults[fault] ?? 0) + 1
    if (fault.startsWith('crash') || fault === 'lateWrite') this.#counts.crashes += 1
    if (from !== undefined) this.#chronicle.note({ from, to: 'host', what })
  }

  #look(): void {
    if (!this.#hasBegun || this.#found !== undefined) return
    const found = this.#judge.look()
    if (found !== undefined) this.#find(found)
  }

  #broken(guarantee: string, what: string): void {
    this.#find(broken(guarantee, what))
  }

  /** The first of what is found stands, but for what is accepted. */
  #find(found: Found): void {
    if (this.#found !== undefined || this.#context.plan.accepted.has(`${found.code} ${found.name}`)) return
    this.#found = found
    this.#isOver = true
  }

  #latency(): number {
    if (this.#run.latency === 'steady' || !this.#hasBegun) return 1
    const slow = this.#slow.filter(({ until }) => until > this.#timeline.now)
    this.#slow = slow
    return this.#chance.ms(1, 30) + slow.reduce((sum, { ms }) => sum + ms, 0)
  }

  #say(line: string): void {
    this.#log.push(`${this.#timeline.now} ${line}`)
  }
}

function broken(guarantee: string, what: string): Found {
  return { code: 'GUARANTEE_BROKEN', name: guarantee, what: `${guarantee}: ${what}` }
}

/** A signal as one line. */
function textOf(signal: Signal): string {
  return JSON.stringify(signal, (_, value: unknown) => (value instanceof Error ? value.message : value))
}
