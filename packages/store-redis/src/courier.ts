// courier.ts: carries commands to the servers and brings every answer back.
// Owns: which connection a command goes over, repeating it until its answer is known.
// Not here: what a command does; that it may be repeated is what its script holds.
//   C1  Commands of one line reach the server in order: after one whose answer is not known, those behind it that changed
//       nothing are tried again with it.
//   C2  A command is repeated unchanged, with the same tag, until its answer is known or `settleMs` have passed. Whatever
//       the client itself repeats or gives up makes no difference.
//   C3  What is refused for good is reported as such only if nothing of the same sending may have been written: else it
//       is repeated, and uncertain in the end.
//   C4  The first try goes over one pipeline to each node: one write to a socket, and one WAIT behind all of it. Further
//       tries go through the cluster client, which follows MOVED, ASK and failovers.
import { InterstateError } from '@interstate/core'
import { isCluster, type RedisClient, type RedisConnection, type RedisPipeline } from './client.ts'
import { type Clock, sleep, within } from './clock.ts'
import { type Fate, fateOf, refusal } from './failure.ts'
import type { Script } from './scripts/script.ts'

/** A command, and how to tell what its answer means. */
export interface Command {
  /** A script, or the name of a plain command, whose first argument is its key then. */
  readonly run: Script | string
  readonly keys: readonly string[]
  readonly args: readonly (string | number)[]
}

/** Commands for one slot, in their order. */
export interface Line {
  readonly slot: number
  readonly commands: readonly Command[]
  /** Whether a command with this answer has done all that it will ever do. `true` for all by default. */
  readonly isDone?: (answer: unknown) => boolean
}

/** How a sending is carried. */
export interface Errand {
  /** Whether something may be written: then not knowing is worse than a refusal. */
  readonly writes: boolean
  /** A command that is sent behind the others of a node, with a WAIT for one replica. */
  readonly sync?: ((line: number) => Command) | undefined
}

/** What came back. */
export interface Delivered {
  /** By line and command. */
  readonly answers: readonly (readonly unknown[])[]
  /** Lines whose writes a replica is known to have. */
  readonly replicated: ReadonlySet<number>
}

/** Times in milliseconds, all of them. */
export interface CourierOptions {
  /** How long a command is repeated. */
  readonly settleMs: number
  /** How long an answer is waited for before the command is repeated. */
  readonly attemptMs: number
}

/** What is known of one command. */
interface Parcel {
  readonly line: number
  readonly command: Command
  readonly slot: number
  answer?: { readonly value: unknown }
  /** Whether the server has no such script: it is sent whole then. */
  isUnread: boolean
}

/** What a try has come to. */
interface Trouble {
  worst: Fate | undefined
  error: unknown
  /** Whether something may have been run. */
  isUnknown: boolean
}

const firstPauseMs = 5
const longestPauseMs = 500

/** See the file head. */
export class Courier {
  readonly client: RedisClient
  readonly clock: Clock
  readonly #options: CourierOptions
  #isClosed = false

  constructor(client: RedisClient, clock: Clock, options: CourierOptions) {
    this.client = client
    this.clock = clock
    this.#options = options
  }

  /** Nothing is tried again after that. */
  close(): void {
    this.#isClosed = true
  }

  /** Carries lines, see the file head. */
  async send(lines: readonly Line[], errand: Errand): Promise<Delivered> {
    const parcels = lines.map(({ slot, commands }, line) =>
      commands.map((command): Parcel => ({ line, command, slot, isUnread: false })),
    )
    const replicated = new Set<number>()
    const deadline = this.clock.now() + this.#options.settleMs
    let mayBeWritten = false
    for (let attempt = 1, pause = firstPauseMs; ; attempt += 1) {
      const open = parcels.flatMap((line, index) => stillOpen(line, lines[index]?.isDone))
      const trouble: Trouble = { worst: undefined, error: undefined, isUnknown: false }
      if (attempt === 1 || !isCluster(this.client)) await this.#byNode(open, errand, trouble, replicated)
      else await this.#byClient(open, trouble)
      if (trouble.worst === undefined) return { answers: parcels.map(answersOf), replicated }
      if (trouble.worst === 'unread') continue
      mayBeWritten ||= errand.writes && (trouble.isUnknown || parcels.flat().some(({ answer }) => answer !== undefined))
      if (trouble.worst === 'refused' && !mayBeWritten) throw refusal(trouble.error)
      if (this.#isOver(deadline, pause)) throw this.#giveUp(trouble.error, mayBeWritten)
      this.#leaveReplica(trouble.error)
      await sleep(this.clock, pause)
      pause = Math.min(pause * 2, longestPauseMs)
    }
  }

  /** Carries one command that only reads. */
  async read(slot: number, command: Command): Promise<unknown> {
    const { answers } = await this.send([{ slot, commands: [command] }], { writes: false })
    return answers[0]?.[0]
  }

  /** The connection to the primary of a slot; `undefined` where it is not known at the moment. */
  nodeOf(slot: number): RedisConnection | undefined {
    const { client } = this
    if (!isCluster(client)) return client
    const name = client.slots[slot]?.[0]
    return client.nodes('master').find(({ options }) => `${options.host}:${options.port}` === name)
  }

  /** Every primary. */
  primaries(): readonly RedisConnection[] {
    return isCluster(this.client) ? this.client.nodes('master') : [this.client]
  }

  async #byNode(parcels: readonly Parcel[], errand: Errand, trouble: Trouble, replicated: Set<number>): Promise<void> {
    const byNode = new Map<RedisConnection, Parcel[]>()
    const nodes = new Map<number, RedisConnection | undefined>()
    const homeless: Parcel[] = []
    for (const parcel of parcels) {
      if (!nodes.has(parcel.slot)) nodes.set(parcel.slot, this.nodeOf(parcel.slot))
      const node = nodes.get(parcel.slot)
      if (node === undefined) homeless.push(parcel)
      else append(byNode, node, parcel)
    }
    const sendings = [...byNode].map(([node, some]) => this.#inOnePiece(node, some, errand, trouble, replicated))
    await Promise.all([...sendings, homeless.length > 0 ? this.#byClient(homeless, trouble) : undefined])
  }

  async #inOnePiece(
    node: RedisConnection,
    parcels: readonly Parcel[],
    { sync }: Errand,
    trouble: Trouble,
    replicated: Set<number>,
  ): Promise<void> {
    const last = parcels.at(-1)
    const sent: Promise<Answers>[] = []
    for (let from = 0; from < parcels.length; from += commandsAtOnce) {
      const pipeline = node.pipeline()
      for (const parcel of parcels.slice(from, from + commandsAtOnce)) enqueue(pipeline, parcel)
      if (sync !== undefined && last !== undefined && from + commandsAtOnce >= parcels.length) {
        enqueue(pipeline, { command: sync(last.line), isUnread: true })
        pipeline.call('WAIT', [1, waitMs])
      }
      sent.push(pipeline.exec())
    }
    try {
      const answers = (await this.#timely(Promise.all(sent))).flatMap((some) => some ?? [])
      for (const [index, parcel] of parcels.entries()) note(parcel, answers[index], trouble)
      if (sync === undefined) return
      const [[syncError] = [], [waitError, replicas] = []] = answers.slice(parcels.length)
      if (syncError || waitError || Number(replicas) < 1) return
      for (const { line } of parcels) replicated.add(line)
    } catch (error) {
      worsen(trouble, 'unknown', error)
    }
  }

  /** One by one within a line, so that they stay in order wherever each is sent to. */
  async #byClient(parcels: readonly Parcel[], trouble: Trouble): Promise<void> {
    const lines = Map.groupBy(parcels, ({ line }) => line)
    await Promise.all([...lines.values()].map((line) => this.#lineByClient(line, trouble)))
  }

  async #lineByClient(parcels: readonly Parcel[], trouble: Trouble): Promise<void> {
    for (const parcel of parcels) {
      try {
        note(parcel, [null, await this.#timely(this.client.call(...spell(parcel)))], trouble)
      } catch (error) {
        note(parcel, [error instanceof Error ? error : new Error(String(error)), undefined], trouble)
        return
      }
    }
  }

  /** Sentinel names another primary, but a connection that stayed open goes on to the one of before. */
  #leaveReplica(error: unknown): void {
    const { client } = this
    if (isCluster(client) || client.options.sentinels == null) return
    if (error instanceof Error && error.message.startsWith('READONLY')) client.disconnect(true)
  }

  #timely<T>(promise: Promise<T>): Promise<T> {
    const late = (): Error => new Error(`No answer within ${this.#options.attemptMs} ms`)
    return within(this.clock, this.#options.attemptMs, promise, late)
  }

  #isOver(deadline: number, pause: number): boolean {
    return this.#isClosed || this.client.status === 'end' || this.clock.now() + pause > deadline
  }

  #giveUp(cause: unknown, mayBeWritten: boolean): InterstateError {
    if (!mayBeWritten) return refusal(cause)
    const text = cause instanceof Error ? cause.message : String(cause)
    return new InterstateError('STORE_UNCERTAIN', `Redis gave no answer: ${text}.`, {}, { cause })
  }
}

/** So many commands are handed to the socket together: the server works on them while the next are written. */
const commandsAtOnce = 256

type Answers = Awaited<ReturnType<RedisPipeline['exec']>>

/** How long a server waits for its replica before it says that there was none. */
const waitMs = 1_000

/** From the first without an answer on: what changed nothing then may change something now (C1). */
function stillOpen(line: readonly Parcel[], isDone: Line['isDone']): readonly Parcel[] {
  const first = line.findIndex(({ answer }) => answer === undefined)
  if (first < 0) return []
  const open = line.slice(first).filter(({ answer }) => answer === undefined || isDone?.(answer.value) === false)
  for (const parcel of open) delete parcel.answer
  return open
}

function answersOf(line: readonly Parcel[]): readonly unknown[] {
  return line.map(({ answer }) => answer?.value)
}

/** Notes what came back for a parcel. */
function note(parcel: Parcel, answer: readonly [Error | null, unknown] | undefined, trouble: Trouble): void {
  const [error, value] = answer ?? [new Error('No answer'), undefined]
  if (!error) {
    parcel.answer = { value }
    return
  }
  const fate = fateOf(error)
  parcel.isUnread ||= fate === 'unread'
  worsen(trouble, fate, error)
}

const severity: readonly Fate[] = ['unread', 'later', 'unknown', 'refused']

function worsen(trouble: Trouble, fate: Fate, error: unknown): void {
  trouble.isUnknown ||= fate === 'unknown'
  if (trouble.worst !== undefined && severity.indexOf(fate) <= severity.indexOf(trouble.worst)) return
  trouble.worst = fate
  trouble.error = error
}

function spell({ command: { run, keys, args }, isUnread }: Pick<Parcel, 'command' | 'isUnread'>): Spelled {
  if (typeof run === 'string') return [run, [...keys, ...args]]
  const [name, script] = isUnread ? ['EVAL', run.text] : ['EVALSHA', run.sha]
  return [name, [script, keys.length, ...keys, ...args]]
}

type Spelled = readonly [name: string, args: (string | number)[]]

function enqueue(pipeline: RedisPipeline, parcel: Pick<Parcel, 'command' | 'isUnread'>): void {
  pipeline.call(...spell(parcel))
}

function append(byNode: Map<RedisConnection, Parcel[]>, node: RedisConnection, parcel: Parcel): void {
  const some = byNode.get(node)
  if (some === undefined) byNode.set(node, [parcel])
  else some.push(parcel)
}
