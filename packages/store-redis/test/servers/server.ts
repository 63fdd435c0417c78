// server.ts: one Redis server that tests start, kill, freeze and start again.
//   S1  It is ready when this very process answers and has loaded its data: another server on the port is no answer.
//   S2  It dies with the process that started it, however that ends.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis, type RedisOptions } from 'ioredis'
// @boundaries-ignore What a machine may lack is said in one place for all packages.
import { redisServerPath } from '../../../../test/tools.ts'
import { freePort } from './ports.ts'

/** See {@link startServer}. */
export interface ServerOptions {
  /** Writes what it does to a file, and has it again after a restart. Default: no. */
  readonly appendonly?: boolean
  /** When that file is synced. Default: `everysec`. */
  readonly appendfsync?: 'always' | 'everysec'
  /** Further lines of its configuration; they win. A password in `requirepass` is used by {@link RedisServer.client}. */
  readonly config?: Readonly<Record<string, string>>
  /** A folder of the caller's, which stays. Default: a new one, which goes with the server. */
  readonly dir?: string
}

/** What clients are made with. How answers are mapped to types is part of a client's type: ours have the default. */
export type ClientOptions = Omit<RedisOptions, 'replyMapping'>

const patienceMs = 30_000
const living = new Set<RedisServer>()
process.on('exit', () => {
  for (const server of living) server.abandon()
})

/** Where the system can, it kills the server when its parent dies: kill -9 leaves no time for good manners (S2). */
const leash = ['setpriv', '--pdeathsig', 'KILL']
const canLeash = spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true'], { stdio: 'ignore' }).status === 0

class PortTaken extends Error {
  override readonly name = 'PortTaken'
}

/** Starts a server on a free port of 127.0.0.1, without snapshots, with a folder of its own; ready when this resolves. */
export async function startServer(options: ServerOptions = {}): Promise<RedisServer> {
  for (let attempt = 1; ; attempt += 1) {
    const server = new RedisServer(await freePort(), await freePort(), options)
    try {
      await server.start()
      return server
    } catch (error) {
      await server.stop()
      if (!(error instanceof PortTaken) || attempt === 5) throw error
    }
  }
}

/** See the file head. */
export class RedisServer implements AsyncDisposable {
  readonly port: number
  /** Where it listens for other nodes, if it is part of a cluster. */
  readonly busPort: number
  readonly dir: string
  readonly #options: ServerOptions
  readonly #clients = new Set<Redis>()
  #console: Redis | undefined
  #child: ChildProcess | undefined
  #frozen = false

  /** @internal Use {@link startServer}. */
  constructor(port: number, busPort: number, options: ServerOptions) {
    this.port = port
    this.busPort = busPort
    this.dir = options.dir ?? mkdtempSync(join(tmpdir(), 'interstate-redis-'))
    this.#options = options
  }

  /** Its process, or the last one it had. */
  get process(): ChildProcess {
    if (this.#child === undefined) throw new Error('This server was never started.')
    return this.#child
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Running and not frozen. */
  get isAwake(): boolean {
    return this.isRunning && !this.#frozen
  }

  /** A new client, closed with the server at the latest. Its connection errors are left to the commands that fail. */
  client(options: ClientOptions = {}): Redis {
    const client = new Redis({ ...this.#address(), ...options })
    client.on('error', () => undefined)
    client.once('end', () => this.#clients.delete(client))
    this.#clients.add(client)
    return client
  }

  /** One command over a connection of its own, for what tests ask and tell the server itself. */
  run(command: string, ...args: readonly (string | number)[]): Promise<unknown> {
    this.#console ??= this.client({ commandTimeout: 5_000, maxRetriesPerRequest: 0, retryStrategy: () => 20 })
    return this.#console.call(command, ...args)
  }

  /** One section of what the server says of itself, by name. */
  async info(section: string): Promise<Readonly<Record<string, string>>> {
    return fields(await this.run('INFO', section))
  }

  /** Sends it a signal that ends it, and resolves when it has ended. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.#console?.disconnect()
    this.#console = undefined
    if (!this.isRunning) return
    const ended = once(this.process, 'exit')
    this.process.kill(signal)
    this.wake()
    await ended
  }

  /** Stops it in the middle of whatever it does: connections stay open and nothing answers. */
  freeze(): void {
    this.#frozen = this.process.kill('SIGSTOP')
  }

  /** Lets it go on. */
  wake(): void {
    if (this.#frozen) this.process.kill('SIGCONT')
    this.#frozen = false
  }

  /**
   * Starts it again on the same port, after kill -9 if it still runs.
   *
   * @param options - `empty`: without its data, but as the same node of its cluster.
   */
  async restart(options: { readonly empty?: boolean } = {}): Promise<void> {
    await this.kill()
    if (options.empty === true) {
      for (const data of ['appendonlydir', 'appendonly.aof', 'dump.rdb']) {
        rmSync(join(this.dir, data), { recursive: true, force: true })
      }
    }
    for (const deadline = performance.now() + 5_000; ; ) {
      try {
        return await this.start()
      } catch (error) {
        // Somebody who looks for a free port holds it for a moment.
        if (!(error instanceof PortTaken) || performance.now() > deadline) throw error
        await sleep(50)
      }
    }
  }

  /** Kills it, closes its clients and removes its folder, unless that is the caller's. */
  async stop(): Promise<void> {
    for (const client of this.#clients) client.disconnect()
    await this.kill()
    living.delete(this)
    this.#clear()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  /** @internal Use {@link startServer} or {@link restart}. */
  async start(): Promise<void> {
    const log = join(this.dir, 'redis.log')
    writeFileSync(join(this.dir, 'redis.conf'), this.#configuration())
    const [command = '', ...args] = [...(canLeash ? leash : []), redisServerPath(), join(this.dir, 'redis.conf')]
    const said = openSync(log, 'w')
    const child = spawn(command, args, { cwd: this.dir, stdio: ['ignore', said, said] })
    closeSync(said)
    await once(child, 'spawn')
    this.#child = child
    this.#frozen = false
    living.add(this)
    for (const deadline = performance.now() + patienceMs; ; await sleep(10)) {
      if (!this.isRunning) throw failure(log)
      const seen = await this.#whoAnswers()
      if (seen.pid === child.pid && seen.isLoaded) return
      if (seen.pid !== undefined && seen.pid !== child.pid) {
        await this.kill()
        throw new PortTaken(`Another server answers on port ${this.port}.`)
      }
      if (performance.now() < deadline) continue
      await this.kill()
      throw failure(log)
    }
  }

  /** @internal For the last moment of a process: nothing can be awaited. */
  abandon(): void {
    this.process.kill('SIGKILL')
    this.#clear()
  }

  async #whoAnswers(): Promise<{ readonly pid?: number; readonly isLoaded?: boolean }> {
    const settings = { lazyConnect: true, enableReadyCheck: false, retryStrategy: null, commandTimeout: 1_000 } as const
    const client = new Redis({ ...this.#address(), ...settings, maxRetriesPerRequest: 0 })
    client.on('error', () => undefined)
    try {
      await client.connect()
      const { process_id, loading } = fields(await client.info())
      return { pid: Number(process_id), isLoaded: loading === '0' }
    } catch {
      return {}
    } finally {
      client.disconnect()
    }
  }

  #address(): ClientOptions {
    const password = this.#options.config?.requirepass
    return { host: '127.0.0.1', port: this.port, ...(password === undefined ? {} : { password }) }
  }

  #configuration(): string {
    const { appendonly = false, appendfsync = 'everysec', config = {} } = this.#options
    const lines: Readonly<Record<string, string>> = {
      bind: '127.0.0.1',
      port: String(this.port),
      'cluster-port': String(this.busPort),
      dir: `"${this.dir}"`,
      logfile: '""',
      save: '""',
      appendonly: appendonly ? 'yes' : 'no',
      appendfsync,
      // Replicas start at once: a test has no time to wait for a second one.
      'repl-diskless-sync-delay': '0',
      'enable-debug-command': 'local',
      ...config,
    }
    return Object.entries(lines)
      .map((line) => `${line.join(' ')}\n`)
      .join('')
  }

  #clear(): void {
    if (this.#options.dir === undefined) rmSync(this.dir, { recursive: true, force: true, maxRetries: 3 })
  }
}

/** How many times it has refused something with this word since it started, or since `CONFIG RESETSTAT`. */
export async function refusals(server: RedisServer, word: string): Promise<number> {
  const told = (await server.info('errorstats'))[`errorstat_${word}`] ?? 'count=0'
  return Number(told.slice(told.indexOf('=') + 1))
}

/** What Redis says in lines of `name:value`. */
export function fields(text: unknown): Readonly<Record<string, string>> {
  const lines = String(text).split('\r\n')
  return Object.fromEntries(lines.filter((line) => line.includes(':')).map((line) => split(line)))
}

function split(line: string): readonly [string, string] {
  const colon = line.indexOf(':')
  return [line.slice(0, colon), line.slice(colon + 1)]
}

function failure(log: string): Error {
  const said = readFileSync(log, 'utf8').trim().split('\n').slice(-12).join('\n')
  return /already in use/i.test(said) ? new PortTaken(said) : new Error(`redis-server did not start. ${said}`)
}
