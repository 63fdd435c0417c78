// hosts.ts: the processes of a run: one after the other on one store, ended and paused as its plan says.
// Owns: which process calls go to, and what befalls its writes. Not here: what its host tells (run.ts), several at once (crew.ts).
import type { Definition, Group, GroupResult } from '@interstate/core'
import { type ClusterOptions, createHost, type Policies, type Signal } from '@interstate/runtime'
import type { WriteTrouble } from '../faults/trouble.ts'
import type { History } from '../history/history.ts'
import { calling, listening } from '../history/listening.ts'
import { recording } from '../history/recording.ts'
import type { FaultName } from './fault.ts'
import { Process, type WallClock } from './process.ts'
import type { FaultAction, WriteAction } from './run-plan.ts'
import { ProcessStore, type Site } from './site.ts'
import type { Timeline } from './timeline.ts'

/** What a run hears of its processes. */
export interface HostEvents {
  readonly signal: (process: Process, signal: Signal) => void
  /** A write of a process is done; the process does not know yet. */
  readonly written: (process: Process, group: Group, result: GroupResult) => void
  /** A process knows how its write ended, and has told of it. */
  readonly heard: (process: Process) => void
  readonly ended: (process: Process) => void
  /** A fault strikes. */
  readonly strikes: (fault: FaultName, from: string, what: string, to?: string) => void
  /** Something follows from a fault. */
  readonly notes: (from: string, what: string, to?: string) => void
  /** A host could not start, for good. */
  readonly failed: (process: Process, error: unknown) => void
  readonly log: (line: string) => void
}

/** What processes stand on. */
export interface HostsContext {
  readonly timeline: Timeline
  readonly clock: WallClock
  readonly site: Site
  readonly history: History
  readonly definitions: readonly Definition[]
  readonly policies: Policies
  readonly seed: number
  /** How long a call takes one way, in milliseconds. */
  readonly latency: () => number
  readonly events: HostEvents
}

/** Something that will befall the next write. */
export interface Armed {
  readonly fault: FaultName
  /** Of this process, where there are several. */
  readonly process: Process | undefined
  /** Writes that pass before it. */
  writes: number
  readonly trouble: WriteTrouble | undefined
  readonly words: string
  readonly downMs?: number
  readonly landsMs?: number
}

/** See the file head. The protected methods are what differs where several live at once. */
export class Hosts {
  protected readonly context: HostsContext
  protected readonly all: Process[] = []
  readonly #armed: Armed[] = []
  #started = 0
  /** Writes on their way whose process has ended. */
  #late: { readonly process: Process; readonly store: ProcessStore; readonly landsMs: number }[] = []

  constructor(context: HostsContext) {
    this.context = context
  }

  /** Processes that should be at work. */
  get living(): readonly Process[] {
    const { current } = this
    return current === undefined ? [] : [current]
  }

  /** Whom a call goes to. It may be starting, paused, or dead. */
  entry(_: { readonly host?: number }, __: number): Process | undefined {
    return this.current
  }

  /** Starts the first process. */
  open(): void {
    this.start()
  }

  /** Makes something befall a process, now or at its next write. */
  strike(action: FaultAction): void {
    switch (action.do) {
      case 'crash':
        this.#crashNow(action)
        return
      case 'restart':
        this.#restart(action)
        return
      case 'pause':
        this.#pause(action)
        return
      case 'crashBeforeWrite':
        this.#arm(action, { trouble: 'killed before', words: 'crashes before its write', downMs: action.downMs })
        return
      case 'crashAfterWrite':
        this.#arm(action, { trouble: 'killed after', words: 'crashes after its write', downMs: action.downMs })
        return
      case 'crashAfterAnswer':
        this.#arm(action, { trouble: undefined, words: 'crashes after its commit', downMs: action.downMs })
        return
      case 'lateWrite':
        this.#arm(action, { ...action, trouble: 'lands late', words: 'crashes with its write on the way' })
        return
      case 'lostAnswer':
        this.#arm(action, { trouble: 'answer lost', words: 'loses the answer to a write, which is repeated' })
        return
      case 'conflict':
        this.#arm(action, { trouble: 'conflict', words: 'has been written to by somebody else' })
        return
      case 'refusedWrite': {
        const words = action.why === 'full' ? 'is full' : 'fails'
        for (let times = 0; times < action.times; times += 1) this.#arm(action, { trouble: action.why, words })
        return
      }
    }
  }

  /** From here on nothing goes wrong: what is paused wakes, what is on its way lands, and a process is there. */
  calm(): void {
    this.#armed.length = 0
    for (const process of this.all) if (process.state === 'frozen') this.#wake(process)
    this.#land()
    this.complete()
  }

  /** Ends all. */
  kill(): void {
    for (const process of this.all) process.kill('was stopped')
  }

  /** Who has taken the store last, or is about to. */
  protected get current(): Process | undefined {
    return this.all.at(-1)
  }

  /** How a process takes its part among others. */
  protected get cluster(): ClusterOptions | undefined {
    return undefined
  }

  /** Whom an action strikes. */
  protected victim(_: { readonly host?: number }): Process | undefined {
    return this.current
  }

  /** Whether what is armed befalls the writes of a process. */
  protected isMeant(_: Armed, process: Process): boolean {
    return process === this.current
  }

  /** What the story calls a process. */
  protected nameOf(_: Process): string {
    return 'host'
  }

  /** Starts a process. */
  protected start(): Process {
    const process = this.#process()
    this.all.push(process)
    this.context.timeline.stir()
    this.context.events.log(`${process.name} starts`)
    // On the timeline, so that what follows is known to be the process's own.
    this.context.timeline.after(0, process, () => this.#begin(process))
    return process
  }

  /** Has somebody else come after a process has ended, or stands still. */
  protected replace(process: Process, ms: number, _: 'ended' | 'paused'): void {
    this.context.timeline.after(ms, undefined, () => {
      if (this.current === process) this.start()
    })
  }

  /** Sees to it that nobody is missing. */
  protected complete(): void {
    if (this.current?.state === 'dead') this.start()
  }

  /** A process has taken shards. */
  protected acquired(process: Process): void {
    // Not the one that started last: one may have been paused on its way here.
    for (const each of this.all) each.isSuperseded = each !== process
    this.all.splice(this.all.indexOf(process), 1)
    this.all.push(process)
  }

  /** The way of a call from a process to the store. */
  protected reach(process: Process, ms: number): Promise<void> {
    return this.context.timeline.wait(ms, process)
  }

  /** A fault strikes a process. */
  protected tell(fault: FaultName, process: Process | undefined, words: string): void {
    const name = process === undefined ? 'host' : this.nameOf(process)
    this.context.events.strikes(fault, name, words, name)
  }

  /** Stops a process in good order. */
  protected stop(process: Process, stopped: () => void): void {
    const { host } = process
    if (host === undefined) return
    const ended = (): void => {
      if (process.state === 'dead') return
      this.#end(process, 'was stopped', 'stopped')
      stopped()
    }
    process.isStopping = true
    this.context.timeline.after(0, process, () => host.stop().then(ended, ended))
  }

  #process(): Process {
    const { timeline, clock, site, history, seed, events } = this.context
    this.#started += 1
    const number = this.#started
    const store = new ProcessStore(
      recording(
        site.store({
          written: (group, result) => events.written(process, group, result),
          acquired: (owner) => {
            process.owner = owner
            this.acquired(process)
            this.#land()
          },
          // A bell takes its way, and nobody who stands still hears it.
          rung: (ring) => void timeline.after(0, process, ring),
        }),
        history,
      ),
    )
    const process: Process = new Process(number, store, timeline, clock, seed, this.cluster !== undefined)
    this.#wire(process, store)
    return process
  }

  /** Calls take their time, and what is armed befalls the writes of the present process. */
  #wire(process: Process, store: ProcessStore): void {
    const { timeline, latency, events } = this.context
    let armed: Armed | undefined
    store.fault = () => this.reach(process, latency())
    store.troubleOf = ({ commits }) => {
      armed = this.#take(process, commits.length > 0)
      if (armed?.downMs === undefined && armed !== undefined) {
        events.strikes(armed.fault, 'store', armed.words, this.nameOf(process))
      } else if (armed !== undefined) this.tell(armed.fault, process, armed.words)
      return armed?.trouble
    }
    store.beforeWrite = async () => {
      if (!store.killed) return
      if (armed?.trouble === 'lands late') this.#late.push({ process, store, landsMs: armed.landsMs ?? 0 })
      this.#crash(process, armed?.words ?? 'crashed', armed?.downMs ?? 0)
    }
    store.afterWrite = async () => {
      const struck = armed
      if (store.killed) this.#crash(process, 'crashed', struck?.downMs ?? 0)
      await timeline.wait(latency(), process)
      // Before anything that the host puts on the timeline when it hears.
      if (struck?.fault === 'crashAfterAnswer')
        timeline.after(0, undefined, () => this.#crash(process, 'crashed', struck.downMs ?? 0))
      timeline.after(0, undefined, () => events.heard(process))
    }
  }

  /** A conflict needs a commit. */
  #take(process: Process, commits: boolean): Armed | undefined {
    const meant = this.#armed.filter((each) => this.isMeant(each, process))
    const next = meant.find(({ trouble, writes }) => writes === 0 && (commits || trouble !== 'conflict'))
    const index = next === undefined ? -1 : this.#armed.indexOf(next)
    for (const each of meant) if (each.writes > 0) each.writes -= 1
    return index === -1 ? undefined : this.#armed.splice(index, 1)[0]
  }

  async #begin(process: Process): Promise<void> {
    const { definitions, policies, events, history, timeline, site } = this.context
    const { cluster } = this
    try {
      const isAlone = this.all.every((each) => each === process || each.state === 'dead')
      if (isAlone && process.number > 1) await timeline.during(() => site.reopen())
      const listener = listening(history, process.name)
      const host = await createHost({
        entities: definitions,
        store: process.store,
        env: process.env,
        policies,
        ...(cluster === undefined ? {} : { cluster }),
        onSignal: (signal) => {
          listener(signal)
          events.signal(process, signal)
        },
      })
      process.host = calling(host, history)
      history.record({ event: 'process', host: process.name, became: 'started' })
    } catch (error) {
      if (process.state === 'dead') return
      events.failed(process, error)
      this.#crash(process, 'could not start', 1_000)
    }
  }

  #land(): void {
    for (const { process, store, landsMs } of this.#late.splice(0)) {
      this.context.timeline.after(landsMs, undefined, async () => {
        this.context.events.notes('store', 'gets the write of a host that crashed')
        await store.land()
        // Nobody tells of it.
        if (process.isAmongOthers) this.context.events.ended(process)
      })
    }
  }

  #crash(process: Process | undefined, how: string, downMs: number): void {
    if (process === undefined || process.state === 'dead') return
    this.#end(process, how.startsWith('crashes') ? 'crashed' : how, 'killed')
    this.replace(process, downMs, 'ended')
  }

  #end(process: Process, how: string, became: 'killed' | 'stopped'): void {
    process.kill(how)
    this.context.history.record({ event: 'process', host: process.name, became })
    this.context.timeline.stir()
    this.context.events.log(`${process.name} ${how}`)
    this.context.events.ended(process)
  }

  #crashNow(action: Extract<FaultAction, { do: 'crash' | 'restart' }>): void {
    const process = this.victim(action)
    this.tell('crash', process, 'crashes')
    this.#crash(process, 'crashed', action.downMs)
  }

  #restart(action: Extract<FaultAction, { do: 'crash' | 'restart' }>): void {
    const process = this.victim(action)
    if (process?.host === undefined || process.state !== 'alive') return
    this.tell('restart', process, 'is stopped in good order')
    this.stop(process, () => this.replace(process, action.downMs, 'ended'))
  }

  #pause(action: Extract<FaultAction, { do: 'pause' }>): void {
    const process = this.victim(action)
    if (process?.state !== 'alive') return
    this.tell('pause', process, 'is paused')
    this.context.timeline.stir()
    process.freeze()
    this.replace(process, action.takeOverMs, 'paused')
    this.context.timeline.after(action.wakeMs, undefined, () => this.#wake(process))
  }

  #wake(process: Process): void {
    if (process.state !== 'frozen') return
    const name = this.nameOf(process)
    this.context.events.log(`${process.name} wakes`)
    this.context.events.notes(name, 'wakes and goes on', name)
    this.context.timeline.stir()
    process.wake()
  }

  #arm(action: WriteAction, armed: Omit<Armed, 'fault' | 'process' | 'writes'>): void {
    const { do: fault, writes = 0 } = action
    this.#armed.push({ ...armed, fault, process: this.victim(action), writes })
  }
}
