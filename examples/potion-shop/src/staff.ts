// staff.ts: the hosts of a shop as processes: started, asked, killed, replaced, stopped.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { HostDuties, HostLife, HostNews, OfficeDuties } from './shop-host.ts'
import { CallFailed, Wire } from './wire.ts'

/** Options of {@link Staff}. */
export interface StaffOptions {
  readonly life: Omit<HostLife, 'evening'>
  /** What the office does for a host. */
  readonly office: Pick<OfficeDuties, 'book'>
  /** Hears what happened in a host since it told last. */
  readonly onNews: (news: Happened) => void
}

/** What happened in a host since it told last. */
export interface Happened {
  /** Messages handled. */
  readonly handled: number
  /** Duplicates refused. */
  readonly refused: number
  /** Orders that came to their end. */
  readonly ended: readonly string[]
}

interface Host {
  readonly child: ChildProcess
  readonly wire: Wire<HostDuties>
  readonly opening: PromiseWithResolvers<void>
  isOpen: boolean
  isDoomed: boolean
}

/** See the file head. */
export class Staff {
  readonly #options: StaffOptions
  readonly #hosts = new Set<Host>()
  readonly #failure = Promise.withResolvers<never>()
  #evening = false

  constructor(options: StaffOptions) {
    this.#options = options
    this.failure.catch(() => {})
  }

  /** Rejects when a host ends that was not told to. */
  get failure(): Promise<never> {
    return this.#failure.promise
  }

  /** How many hosts can be asked. */
  get open(): number {
    return this.#open.length
  }

  /** Starts hosts; resolves when all are open. */
  async start(number: number): Promise<void> {
    await Promise.all(Array.from({ length: number }, () => this.#start()))
  }

  /** Asks any host. One that is killed meanwhile may have done it or not. */
  ask<K extends keyof HostDuties>(
    what: K,
    value: Parameters<HostDuties[K]>[0],
  ): Promise<Awaited<ReturnType<HostDuties[K]>>> {
    const host = oneOf(this.#open)
    if (host === undefined) return Promise.reject(new CallFailed('No host is open.', { retryable: true }))
    return host.wire.ask(what, value)
  }

  /** Half an hour passes at once, for these and for hosts that come later. */
  async putClockForward(): Promise<void> {
    this.#evening = true
    await Promise.all(this.#open.map(({ wire }) => wire.ask('putClockForward', null).catch(ignoreIfGone)))
  }

  /** Kills one of the hosts with SIGKILL and starts another in its place. */
  kill(): void {
    const host = oneOf(this.#open)
    if (host === undefined) return
    host.isDoomed = true
    host.child.kill('SIGKILL')
    // It counts as a failure of all if it does not open.
    void this.#start()
  }

  /** Stops all hosts in good order. */
  async stop(): Promise<void> {
    await Promise.all([...this.#hosts].map((host) => this.#stop(host)))
  }

  /** Leaves no process behind. */
  abandon(): void {
    for (const host of this.#hosts) {
      host.isDoomed = true
      host.child.kill('SIGKILL')
    }
  }

  get #open(): readonly Host[] {
    return [...this.#hosts].filter(({ isOpen, isDoomed }) => isOpen && !isDoomed)
  }

  #start(): Promise<void> {
    const { office, onNews } = this.#options
    const life: HostLife = { ...this.#options.life, evening: this.#evening }
    const child = fork(new URL('./shop-host.ts', import.meta.url), [JSON.stringify(life)], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    let told: HostNews = { messages: 0, duplicates: 0, ended: [] }
    const wire = new Wire<HostDuties>(child, {
      ...office,
      isOpen: () => {
        host.isOpen = true
        // The clock was put forward while it was on its way.
        if (this.#evening && !life.evening) void wire.ask('putClockForward', null).catch(ignoreIfGone)
        host.opening.resolve()
      },
      news: ({ messages, duplicates, ended }: HostNews) => {
        const happened = { handled: messages - told.messages, refused: duplicates - told.duplicates, ended }
        told = { messages, duplicates, ended }
        onNews(happened)
      },
    } satisfies OfficeDuties)
    const host: Host = { child, wire, opening: Promise.withResolvers(), isOpen: false, isDoomed: false }
    this.#hosts.add(host)
    host.opening.promise.catch((error) => this.#failure.reject(error))
    child.on('error', host.opening.reject)
    child.on('exit', (code, signal) => {
      this.#hosts.delete(host)
      wire.cut()
      const error = new Error(`A host ended by itself: ${signal ?? `exit status ${code}`}.`)
      host.opening.reject(error)
      if (!host.isDoomed) this.#failure.reject(error)
    })
    return host.opening.promise
  }

  async #stop(host: Host): Promise<void> {
    await host.opening.promise
    const gone = once(host.child, 'exit')
    await host.wire.ask('stop', null)
    host.isDoomed = true
    host.child.disconnect()
    await gone
  }
}

function oneOf<T>(list: readonly T[]): T | undefined {
  return list[Math.floor(Math.random() * list.length)]
}

function ignoreIfGone(error: unknown): void {
  if (!(error instanceof CallFailed && error.retryable)) throw error
}
