// host-process.ts: starts a process that is a host (host.ts), hears what it says, and does to it what a bad day does.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { ShardId } from '@interstate/core'
import { afterAll } from 'vitest'
import type { Orders, Request, Word } from './messages.ts'

const program = fileURLToPath(new URL('./host.ts', import.meta.url))
const compileCache = fileURLToPath(new URL('../../node_modules/.cache/interstate-redis', import.meta.url))

/** Processes that have not ended. A test that runs out of time leaves some. */
const alive = new Set<ChildProcess>()
afterAll(() => {
  for (const process of alive) process.kill('SIGKILL')
})

/** How a call ended. `silence`: nobody answered in time, or the process ended. */
export type Answer = { readonly place: number } | { readonly code: string; readonly retryable: boolean }

/** That a host took shards, gave them away or found that they lost history. */
export interface Event {
  readonly word: 'taken' | 'dropped' | 'lost'
  readonly at: number
  readonly shard: ShardId
}

const silence: Answer = { code: 'silence', retryable: true }

/** See the file head. */
export class HostProcess {
  readonly name: string
  readonly events: Event[] = []
  readonly troubles: string[] = []
  readonly ended: Promise<number | NodeJS.Signals>
  readonly #process: ChildProcess
  readonly #calls = new Map<number, (answer: Answer) => void>()
  readonly #started: Promise<void>
  #stderr = ''
  #nextCall = 0
  #takesCalls = true

  constructor(name: string, orders: Orders) {
    mkdirSync(compileCache, { recursive: true })
    const { NODE_OPTIONS: _, NODE_ENV: __, ...env } = process.env
    this.name = name
    this.#process = spawn(process.execPath, ['--conditions=@interstate/source', program, JSON.stringify(orders)], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...env, NODE_COMPILE_CACHE: compileCache },
    })
    alive.add(this.#process)
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text
    })
    // A process that was killed in the middle of a word: the channel breaks, and 'exit' follows.
    this.#process.on('error', () => undefined)
    this.ended = new Promise((resolve) => {
      this.#process.once('exit', (status, signal) => resolve(status ?? signal ?? -1))
    })
    this.#started = this.#listen()
  }

  /** Resolves when the host runs; rejects when its process ended before. */
  started(): Promise<void> {
    return this.#started
  }

  /** Whether clients know of no reason why it should not answer. */
  get takesCalls(): boolean {
    return this.#takesCalls
  }

  /** The shards that it runs, as far as it has said. */
  get shards(): ReadonlySet<ShardId> {
    const shards = new Set<ShardId>()
    for (const { word, shard } of this.events) {
      if (word === 'taken') shards.add(shard)
      else shards.delete(shard)
    }
    return shards
  }

  get stderr(): string {
    return this.#stderr
  }

  ask(n: number, timeoutMs: number): Promise<Answer> {
    if (!this.#process.connected) return Promise.resolve(silence)
    this.#nextCall += 1
    const call = this.#nextCall
    return new Promise((resolve) => {
      const timer = setTimeout(() => end(silence), timeoutMs)
      const end = (answer: Answer): void => {
        clearTimeout(timer)
        this.#calls.delete(call)
        resolve(answer)
      }
      this.#calls.set(call, end)
      this.#say({ ask: n, call, timeoutMs })
    })
  }

  spin(ms: number): void {
    this.#say({ spinMs: ms })
  }

  /** Sets its wall clock forward, or back. */
  stepClock(ms: number): void {
    this.#say({ stepMs: ms })
  }

  /** Has it send a message that kills whoever handles it. */
  stepOnMine(key: string): void {
    this.#say({ mine: key })
  }

  /** Sends a signal. Clients of a host that is told to end learn of it by their errors. */
  signal(signal: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): void {
    this.#process.kill(signal)
  }

  #say(request: Request): void {
    this.#process.send(request, () => undefined)
  }

  #listen(): Promise<void> {
    const started = Promise.withResolvers<void>()
    // Somebody may wait for the end alone.
    started.promise.catch(() => undefined)
    this.#process.on('message', (word: Word) => {
      if (word.word === 'started') started.resolve()
      else this.#hear(word)
    })
    void this.ended.then((how) => {
      alive.delete(this.#process)
      this.#takesCalls = false
      for (const end of this.#calls.values()) end(silence)
      started.reject(new Error(`${this.name} ended with ${how} before it ran. ${this.#stderr}`))
    })
    return started.promise
  }

  #hear(word: Exclude<Word, { readonly word: 'started' }>): void {
    switch (word.word) {
      case 'answer':
        this.#calls.get(word.call)?.({ place: word.place })
        break
      case 'failure':
        if (word.code === 'HOST_STOPPED') this.#takesCalls = false
        this.#calls.get(word.call)?.({ code: word.code, retryable: word.retryable })
        break
      case 'trouble':
        this.troubles.push(word.what)
        break
      default:
        for (const shard of word.shards) this.events.push({ word: word.word, at: word.at, shard })
    }
  }
}
