// run.ts: one run: real hosts on a real store, with calls and faults as its plan says, and then without faults until
// everything has come to rest.
//   R1  After every durable commit, and after every effect, `always` is held against what is durable.
//   R2  What is found ends the run as soon as its story can be told.
//   R3  Nothing of a run depends on anything but the world, the plan of the run and the store.
import { type Definition, type Group, type GroupResult, InterstateError } from '@interstate/core'
import type { Policies, Signal, SignalListener } from '@interstate/runtime'
import { WorldError } from '../failure/error.ts'
import type { Story } from '../failure/story.ts'
import { History } from '../history/history.ts'
import type { Stimulus } from '../stimulus.ts'
import type { StoreUnderTest } from '../store-contract/guarantee.ts'
import type { WorldPlan } from '../world/plan.ts'
import { Chance } from './chance.ts'
import { Chronicle } from './chronicle.ts'
import { Client } from './client.ts'
import { Crew } from './crew.ts'
import { Durable } from './durable.ts'
import { judgeHistory, judgeRest } from './end.ts'
import { Errands } from './errands.ts'
import type { FaultName } from './fault.ts'
import { Hearing } from './hearing.ts'
import { Hosts, type HostsContext } from './hosts.ts'
import { Judge } from './judge.ts'
import { Latency } from './latency.ts'
import { type AskedEffect, copyOf } from './outside.ts'
import type { Process } from './process.ts'
import type { RunCounts } from './report.ts'
import { Rest } from './rest.ts'
import type { Action, CallAction, RunPlan } from './run-plan.ts'
import { Site } from './site.ts'
import { Timeline } from './timeline.ts'
import { type Found, Verdict } from './verdict.ts'

/** What a run needs beside its plan. */
export interface RunContext {
  readonly plan: WorldPlan
  /** The definitions with models for effects; their effects come to the run that is under way. */
  readonly definitions: readonly Definition[]
  /** Delays of their timers, in milliseconds. */
  readonly delays: readonly number[]
  readonly store: { readonly name: string; readonly open: () => StoreUnderTest | Promise<StoreUnderTest> }
  readonly policies: Policies
  /** Names of `sometimes` that have held, of all runs. */
  readonly seen: Set<string>
  /** Hears of durable turns. */
  readonly coverage: SignalListener | undefined
  /** What an observed machine has refused since this was asked last, by the name of its definition. */
  readonly refused: (type: string) => WorldError | undefined
  /** Whether somebody wants to read what happened, line by line. */
  readonly isLogged: boolean
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

/** See the file head. */
export class Run {
  readonly #context: RunContext
  readonly #run: RunPlan
  readonly #timeline = new Timeline()
  readonly #clock = { stepMs: 0, now: (): number => startMs + this.#timeline.now + this.#clock.stepMs }
  readonly #history: History = new History(this.#clock)
  readonly #latency: Latency
  readonly #durable: Durable
  readonly #chronicle: Chronicle
  readonly #verdict: Verdict
  readonly #judge: Judge
  readonly #client: Client
  readonly #errands: Errands
  readonly #hearing: Hearing
  readonly #rest: Rest
  readonly #log: string[] = []
  readonly #counts: RunCounts = { turns: 0, commits: 0, crashes: 0, virtualMs: 0, faults: {} }
  #hosts: Hosts | undefined
  #site: Site | undefined
  #hasBegun = false
  #muteUntil = 0

  constructor(context: RunContext, run: RunPlan) {
    const { plan, definitions, delays, seen, coverage } = context
    this.#context = context
    this.#run = run
    const timeline = this.#timeline
    this.#latency = new Latency(run.latency, new Chance(run.seed, 'latency'), timeline)
    const log = (line: string): void => this.#say(line)
    const durable = new Durable(definitions, copyOf(plan.outside))
    const calls = run.actions.filter((each): each is CallAction => each.do === 'call')
    const chronicle = new Chronicle(durable, calls, this.#history)
    const verdict = new Verdict(plan.accepted)
    const errands = new Errands({ run, delays, timeline, durable, chronicle, verdict, look: () => this.#look(), log })
    this.#durable = durable
    this.#chronicle = chronicle
    this.#verdict = verdict
    this.#errands = errands
    this.#judge = new Judge(plan, durable, seen)
    this.#hearing = new Hearing({ chronicle, verdict, coverage, refused: context.refused })
    this.#client = new Client({
      timeline,
      definitions: new Map(definitions.map((each) => [each.name, each])),
      startMs,
      chance: new Chance(run.seed, 'client'),
      process: (call, attempt) => this.#hosts?.entry(call, attempt),
      latency: () => this.#latency.next(),
      log,
      failed: (call, error) => this.#hearing.callFailed(call, error),
    })
    this.#rest = new Rest({
      timeline,
      clock: this.#clock,
      client: this.#client,
      errands,
      durable,
      verdict,
      delays,
      living: () => this.#hosts?.living ?? [],
      isShared: () => this.#site?.isShared === true,
      isHeld: (entity) => this.#hearing.isHeld(entity),
    })
  }

  /** Runs it, once. */
  async go(): Promise<RunResult> {
    const site = new Site(await this.#context.store.open(), this.#timeline)
    this.#site = site
    let hosts: Hosts | undefined
    let end: number | undefined
    try {
      hosts = this.#hostsOn(site)
      this.#hosts = hosts
      hosts.open()
      await this.#setUp()
      if (!this.#verdict.isOver) await this.#act()
      if (!this.#verdict.isOver) await this.#comeToRest(hosts)
      end = await this.#judgeTheEnd(site)
    } finally {
      hosts?.kill()
      await site.close()
    }
    this.#counts.turns = this.#hearing.turns
    this.#counts.virtualMs = this.#timeline.now
    const { found } = this.#verdict
    if (found !== undefined) this.#say(`found ${found.code} ${found.name}`)
    return { counts: this.#counts, log: this.#log, found, story: this.#chronicle.story(end) }
  }

  /** A machine asks for an effect. */
  perform(asked: AskedEffect): Promise<unknown> {
    return this.#errands.perform(asked)
  }

  /** @throws WorldError `WORLD_INVALID` where several hosts are to share a store that can't be shared. */
  #hostsOn(site: Site): Hosts {
    const { hosts = 1 } = this.#run
    if (site.isShared) return new Crew(this.#hostsContext(site), hosts)
    if (hosts === 1) return new Hosts(this.#hostsContext(site))
    const what = `${hosts} hosts can't share the store "${this.#context.store.name}": its scope must be "shard".`
    throw new WorldError('WORLD_INVALID', what)
  }

  #hostsContext(site: Site): HostsContext {
    const { definitions, policies } = this.#context
    const { groupTurns, maxLive, seed } = this.#run
    return {
      timeline: this.#timeline,
      clock: this.#clock,
      site,
      history: this.#history,
      definitions,
      // Crashes come by chance here: no message is to blame for them. Machines are analysed elsewhere, once.
      policies: {
        groupTurns,
        // Small, so that groups come in parts where they may.
        groupPart: 2,
        maxLive,
        analyse: false,
        ...policies,
        retry: { crashes: 1_000_000, ...policies.retry },
      },
      seed,
      latency: () => this.#latency.next(),
      events: {
        signal: (process, signal) => {
          if (this.#context.isLogged) this.#say(`${process.name} ${textOf(signal)}`)
          this.#hearing.signal(process, signal)
        },
        written: (process, group, result) => this.#written(process, group, result),
        heard: (process) => {
          this.#chronicle.heard(process)
          this.#verdict.told(process)
        },
        ended: (process) => {
          this.#chronicle.ended(process)
          this.#verdict.told(process)
        },
        strikes: (fault, from, what, to) => this.#strikes(fault, from, what, to),
        notes: (from, what, to = 'host') => this.#chronicle.note({ from, to, what }),
        failed: (process, error) => this.#couldNotStart(process, error),
        log: (line) => this.#say(line),
      },
    }
  }

  /** Each call is made when what follows from the one before has come to rest. */
  async #setUp(): Promise<void> {
    for (const [index, { call, address, message }] of this.#context.plan.setup.entries()) {
      const entity = (address as unknown as Stimulus & { id(): CallAction['entity'] }).id()
      const data = JSON.parse(JSON.stringify(message)) as CallAction['message']
      this.#client.make({ do: 'call', at: 0, number: -1 - index, call, entity, message: data, keyed: true })
      await this.#rest.drain()
    }
    await this.#rest.drain()
    this.#hasBegun = true
    this.#latency.begin()
    this.#chronicle.begin()
    this.#look()
  }

  async #act(): Promise<void> {
    const { actions } = this.#run
    const begin = this.#timeline.now
    for (const action of actions) this.#timeline.after(action.at, undefined, () => this.#do(action))
    const last = actions.reduce((latest, { at }) => Math.max(latest, at), 0)
    await this.#timeline.run({ until: () => this.#verdict.isOver, end: begin + last })
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
        this.#latency.slowDown(action)
        return
      case 'clockStep':
        this.#strikes('clockStep', 'host', `has its clock set ${action.byMs > 0 ? 'forward' : 'back'}`)
        this.#clock.stepMs += action.byMs
        return
      case 'lostBell':
        this.#strikes('lostBell', 'store', 'loses what hosts tell each other')
        this.#mute(action.forMs)
        return
      default:
        this.#hosts?.strike(action)
    }
  }

  #mute(forMs: number): void {
    const site = this.#site as Site
    site.isMute = true
    this.#muteUntil = Math.max(this.#muteUntil, this.#timeline.now + forMs)
    this.#timeline.after(forMs, undefined, () => {
      if (this.#timeline.now >= this.#muteUntil) site.isMute = false
    })
  }

  #repeat(number: number): void {
    const call = this.#run.actions.find((each): each is CallAction => each.do === 'call' && each.number === number)
    if (call?.keyed !== true) return
    this.#strikes('redelivery', undefined, '')
    this.#client.make(call)
  }

  async #comeToRest(hosts: Hosts): Promise<void> {
    this.#say('no more faults')
    this.#latency.calm()
    ;(this.#site as Site).isMute = false
    hosts.calm()
    await this.#rest.come()
  }

  /** @returns The place in the history at which the story ends, if that is not the end. */
  async #judgeTheEnd(site: Site): Promise<number | undefined> {
    const verdict = this.#verdict
    const atRest = !verdict.isOver
    const left = { site, history: this.#history, durable: this.#durable, judge: this.#judge, verdict }
    const isHeld: Hearing['isHeld'] = (entity) => this.#hearing.isHeld(entity)
    const owners = new Set(this.#hosts?.living.map(({ owner }) => owner))
    if (atRest) await judgeRest({ ...left, isHeld, owners, now: this.#clock.now() })
    return judgeHistory(left, { atRest })
  }

  #written(process: Process, group: Group, result: GroupResult): void {
    if (this.#context.isLogged) {
      const outcomes = result.results.map(({ outcome }, index) => `${group.commits[index]?.entity} ${outcome}`)
      this.#say(`${process.name} writes ${group.tag}: ${[`+${group.accepted.length}`, ...outcomes].join(', ')}`)
    }
    const written = this.#durable.write(group, result)
    this.#counts.commits += written.changes.length
    this.#chronicle.written(process, written)
    const { found: before } = this.#verdict
    if (written.changes.length > 0) this.#look()
    if (before === undefined && this.#verdict.found !== undefined && process.state === 'alive') {
      this.#verdict.waitFor(process)
    }
  }

  #couldNotStart(process: Process, error: unknown): void {
    this.#say(`${process.name} could not start: ${String(error)}`)
    const code = error instanceof InterstateError ? error.code : undefined
    if (code !== 'STORE_FAILED' && code !== 'STORE_FULL') throw error
  }

  #strikes(fault: FaultName, from: string | undefined, what: string, to = 'host'): void {
    this.#say(`fault ${fault}`)
    this.#counts.faults[fault] = (this.#counts.faults[fault] ?? 0) + 1
    if (fault.startsWith('crash') || fault === 'lateWrite') this.#counts.crashes += 1
    if (from !== undefined) this.#chronicle.note({ from, to, what })
  }

  #look(): void {
    if (!this.#hasBegun || this.#verdict.found !== undefined) return
    const found = this.#judge.look()
    if (found !== undefined) this.#verdict.find(found)
  }

  #say(line: string): void {
    if (this.#context.isLogged) this.#log.push(`${this.#timeline.now} ${line}`)
  }
}

/** A signal as one line. */
function textOf(signal: Signal): string {
  return JSON.stringify(signal, (_, value: unknown) => (value instanceof Error ? value.message : value))
}
