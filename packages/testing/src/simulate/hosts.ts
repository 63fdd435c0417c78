// hosts.ts: the processes of a run: one after the other on one store, ended and paused as its plan says.
// Owns: which process calls go to, and what befalls its writes. Not here: what its host tells (run.ts).
import type { Definition, Group, GroupResult } from '@interstate/core'
import { createHost, type Policies, type Signal } from '@interstate/runtime'
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
  readonly strikes: (fault: FaultName, from: 'host' | 'store', what: string) => void
  /** Something follows from a fault. */
  readonly notes: (from: 'host' | 'store', what: string) => void
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
interface Armed {
  readonly fault: FaultName
  /** Writes that pass before it. */
  writes: number
  readonly trouble: WriteTrouble | undefined
  readonly words: string
  readonly downMs?: number
  readonly landsMs?: number
}

/** See the file head. */
export class Hosts {
  readonly #context: HostsContext
  readonly #all: Process[] = []
  readonly #armed: Armed[] = []
  #started = 0
  /** Writes on their way whose process has ended. */
  #late: { readonly store: ProcessStore; readonly landsMs: number }[] = []

  constructor(context: HostsContext) {
    this.#context = context
  }

  /** Whom calls go to: who has taken the store last, or is about to. It may be starting, paused, or dead. */
  get current(): Process | undefined {
    return this.#all.at(-1)
  }

  /** Starts the first process, or the next one after the latest. */
  start(): void {
    const process = this.#process()
    this.#all.push(process)
    this.#context.events.log(`${process.name} starts`)
    // On the timeline, so that what follows is known to be the process's own.
    this.#context.timeline.after(0, process, () => this.#begin(process))
  }

  /** Makes something befall the present process, now or at its next write. */
  strike(action: FaultAction): void {
    switch (action.do) {
      case 'crash':
        this.#strike('crash', 'host', 'crashes')
        this.#crash(this.current, 'crashed', action.downMs)
        return
      case 'restart':
        this.#restart(action.downMs)
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
    for (const process of this.#all) if (process.state === 'frozen') this.#wake(process)
    this.#land()
    if (this.current?.state === 'dead') this.start()
  }

  /** A process has come to its end by itself. */
  retire(process: Process): void {
    if (process.state === 'dead') return
    this.#end(process, 'was fenced off', 'stopped')
    this.#startAfter(process, 1_000)
  }

  /** Ends all. */
  kill(): void {
    for (const process of this.#all) process.kill('was stopped')
  }

  #process(): Process {
    const { timeline, clock, site, history, seed, events } = this.#context
    this.#started += 1
    const number = this.#started
    const store = new ProcessStore(
      recording(
        site.store({
          written: (group, result) => events.written(process, group, result),
          acquired: () => this.#acquired(process),
        }),
        history,
      ),
    )
    const process: Process = new Process(number, store, timeline, clock, seed)
    this.#wire(process, store)
    return process
  }

  /** Calls take their time, and what is armed befalls the writes of the present process. */
  #wire(process: Process, store: ProcessStore): void {
    const { timeline, latency, events } = this.#context
    let armed: Armed | undefined
    store.fault = () => timeline.wait(latency(), process)
    store.troubleOf = ({ commits }) => {
      armed = process === this.current ? this.#take(commits.length > 0) : undefined
      if (armed !== undefined) this.#strike(armed.fault, armed.downMs === undefined ? 'store' : 'host', armed.words)
      return armed?.trouble
    }
    store.beforeWrite = async () => {
      if (!store.killed) return
      if (armed?.trouble === 'lands late') this.#late.push({ store, landsMs: armed.landsMs ?? 0 })
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
  #take(commits: boolean): Armed | undefined {
    const index = this.#armed.findIndex(({ trouble, writes }) => writes === 0 && (commits || trouble !== 'conflict'))
    for (const each of this.#armed) if (each.writes > 0) each.writes -= 1
    return index === -1 ? undefined : this.#armed.splice(index, 1)[0]
  }

  async #begin(process: Process): Promise<void> {
    const { definitions, policies, events, history, timeline, site } = this.#context
    try {
      const isAlone = this.#all.every((each) => each === process || each.state === 'dead')
      if (isAlone && process.number > 1) await timeline.during(() => site.reopen())
      const listener = listening(history, process.name)
      const host = await createHost({
        entities: definitions,
        store: process.store,
        env: process.env,
        policies,
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

  #acquired(process: Process): void {
    // Not the one that started last: one may have been paused on its way here.
    for (const each of this.#all) each.isSuperseded = each !== process
    this.#all.splice(this.#all.indexOf(process), 1)
    this.#all.push(process)
    this.#land()
  }

  #land(): void {
    for (const { store, landsMs } of this.#late.splice(0)) {
      this.#context.timeline.after(landsMs, undefined, () => {
        this.#context.events.notes('store', 'gets the write of a host that crashed')
        return store.land()
      })
    }
  }

  #crash(process: Process | undefined, how: string, downMs: number): void {
    if (process === undefined || process.state === 'dead') return
    this.#end(process, how.startsWith('crashes') ? 'crashed' : how, 'killed')
    this.#startAfter(process, downMs)
  }

  #end(process: Process, how: string, became: 'killed' | 'stopped'): void {
    process.kill(how)
    this.#context.history.record({ event: 'process', host: process.name, became })
    this.#context.events.log(`${process.name} ${how}`)
    this.#context.events.ended(process)
  }

  #startAfter(process: Process, ms: number): void {
    this.#context.timeline.after(ms, undefined, () => {
      if (this.current === process) this.start()
    })
  }

  #restart(downMs: number): void {
    const process = this.current
    if (process?.host === undefined || process.state !== 'alive') return
    this.#strike('restart', 'host', 'is stopped in good order')
    const stopped = (): void => {
      if (process.state === 'dead') return
      this.#end(process, 'was stopped', 'stopped')
      this.#startAfter(process, downMs)
    }
    const { host } = process
    process.isStopping = true
    this.#context.timeline.after(0, process, () => host.stop().then(stopped, stopped))
  }

  #pause({ takeOverMs, wakeMs }: Extract<FaultAction, { do: 'pause' }>): void {
    const process = this.current
    if (process?.state !== 'alive') return
    this.#strike('pause', 'host', 'is paused')
    process.freeze()
    this.#startAfter(process, takeOverMs)
    this.#context.timeline.after(wakeMs, undefined, () => this.#wake(process))
  }

  #wake(process: Process): void {
    if (process.state !== 'frozen') return
    this.#context.events.log(`${process.name} wakes`)
    this.#context.events.notes('host', 'wakes and goes on')
    process.wake()
  }

  #arm({ do: fault, writes = 0 }: WriteAction, armed: Omit<Armed, 'fault' | 'writes'>): void {
    this.#armed.push({ ...armed, fault, writes })
  }

  #strike(fault: FaultName, from: 'host' | 'store', words: string): void {
    this.#context.events.strikes(fault, from, words)
  }
}
