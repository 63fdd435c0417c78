// keeper.ts: what a person does with messages and entities that stand still: list, look, try, requeue, unpark.
import {
  type DeadLetter,
  decide,
  decodeEnvelope,
  decodeSnapshot,
  type EntityId,
  type Env,
  type Envelope,
  InterstateError,
  type MessageId,
  type Plain,
  type StoreDriver,
  type Trouble,
  type TurnOutcome,
  type Wiring,
} from '@interstate/core'
import type { Engine } from './engine.ts'
import type { SignalListener } from './signals.ts'

/** A message that was given up. */
export interface DeadLetterView {
  readonly id: MessageId
  readonly entity: EntityId
  /** The message; `undefined` where its stored form can't be read. */
  readonly message: Envelope | undefined
  /** Its stored form. */
  readonly body: string
  /** Error code of the last attempt. */
  readonly code: string
  readonly text: string
  readonly attempts: number
  /** When it was given up, in milliseconds since 1970. */
  readonly at: number
}

/** What would happen if a dead letter were handled now. */
export type DryRun =
  | {
      readonly succeeds: true
      readonly outcome: TurnOutcome
      readonly before: Plain | undefined
      readonly after: Plain | undefined
      /** Messages that it would send: `Charge -> payment/42`. */
      readonly sends: readonly string[]
    }
  | { readonly succeeds: false; readonly error: InterstateError }

/** An entity that stands still until a person decides. */
export interface ParkedView {
  readonly entity: EntityId
  readonly message: MessageId
  readonly code: string
  readonly text: string
  readonly attempts: number
  /** Since when, in milliseconds since 1970. */
  readonly at: number
}

/** Dead letters: messages given up and kept. */
export interface DeadLetters {
  /** Ordered by id. @param options - `limit`: at most so many, default 100; `after`: the last id of the page before. */
  list(options?: { readonly limit?: number; readonly after?: MessageId }): Promise<readonly DeadLetterView[]>
  /** @throws InterstateError `DEAD_LETTER_UNKNOWN`. */
  inspect(id: MessageId): Promise<DeadLetterView>
  /** What would happen if it were handled now, against the live snapshot. Changes nothing. @throws InterstateError `DEAD_LETTER_UNKNOWN`. */
  dryRun(id: MessageId): Promise<DryRun>
  /**
   * Puts dead letters back at the end of their entities' inboxes, each in one commit.
   * @throws InterstateError `DEAD_LETTER_UNKNOWN`; `REQUEUE_REFUSED` for one that can't be read. Those before it are requeued.
   */
  requeue(...ids: readonly MessageId[]): Promise<void>
}

/** Parked entities. */
export interface Parked {
  /** @param options - `limit`: at most so many, default 100. */
  list(options?: { readonly limit?: number }): Promise<readonly ParkedView[]>
  /**
   * Lets a parked entity go on. @param head - What becomes of the message it stopped at: tried again, or a dead letter.
   * @throws InterstateError `ENTITY_NOT_PARKED`.
   */
  unpark(entity: EntityId, head: 'retry' | 'dead-letter'): Promise<void>
}

interface KeeperContext {
  readonly engine: Engine
  readonly store: StoreDriver
  readonly wiring: Wiring
  readonly env: Env
  readonly tell: SignalListener
}

/** See the file head. */
export function deadLetters({ engine, store, wiring, env, tell }: KeeperContext): DeadLetters {
  const find = async (id: MessageId): Promise<DeadLetterView> => {
    const letter = await store.deadLetter(id)
    if (letter === undefined)
      throw new InterstateError('DEAD_LETTER_UNKNOWN', `There is no dead letter "${id}".`, { id })
    return toView(letter)
  }
  const requeueOne = async (id: MessageId): Promise<void> => {
    const { message, entity } = await find(id)
    if (message === undefined)
      throw new InterstateError('REQUEUE_REFUSED', `Dead letter "${id}" can't be read.`, { id })
    if (message.kind === 'timeout')
      throw new InterstateError('REQUEUE_REFUSED', `Dead letter "${id}" is a timer that its entity has dropped.`, {
        id,
      })
    wiring.definitionOf(entity)
    const row = await store.requeue(id)
    if (row === undefined) throw new InterstateError('DEAD_LETTER_UNKNOWN', `There is no dead letter "${id}".`, { id })
    engine.loader.receive(row)
    tell({ signal: 'requeued', entity, message: id })
  }
  const dryRun = async (id: MessageId): Promise<DryRun> => {
    const { message, entity } = await find(id)
    try {
      if (message === undefined)
        throw new InterstateError('MESSAGE_UNREADABLE', `Dead letter "${id}" can't be read.`, { id })
      const definition = wiring.definitionOf(entity)
      const [row] = await store.load([engine.residents.partition(entity)])
      const state = row?.snapshot === undefined ? undefined : decodeSnapshot(definition, entity, row.snapshot)
      const decision = decide(wiring, definition, state, message, env.now())
      return {
        succeeds: true,
        outcome: decision.outcome,
        before: state?.snapshot.value as Plain | undefined,
        after: decision.state?.snapshot.value as Plain | undefined,
        sends: decision.outbox.map(({ type, to }) => `${type} -> ${to}`),
      }
    } catch (error) {
      return { succeeds: false, error: error as InterstateError }
    }
  }
  return {
    list: ({ limit = 100, after } = {}) =>
      engine.errand(async () => (await store.deadLetters(after, limit)).map(toView)),
    inspect: (id) => engine.errand(() => find(id)),
    dryRun: (id) => engine.errand(() => dryRun(id)),
    requeue: (...ids) =>
      engine.errand(async () => {
        for (const id of ids) await requeueOne(id)
      }),
  }
}

/** See the file head. */
export function parked({ engine, store, tell }: KeeperContext): Parked {
  const list = async (limit: number): Promise<readonly ParkedView[]> => {
    const shards = Array.from({ length: store.shards }, (_, shard) => shard)
    const found: ParkedView[] = []
    let after: EntityId | undefined
    for (;;) {
      const page = await store.unsettled(shards, after, 1_000)
      for (const row of await store.load(page.map((entity) => engine.residents.partition(entity)))) {
        const trouble = row?.trouble === undefined ? undefined : (JSON.parse(row.trouble) as Trouble)
        if (row === undefined || trouble?.parkedAt === undefined) continue
        const { message, attempts, parkedAt, error } = trouble
        const { code = '', text = '' } = error ?? {}
        found.push({ entity: row.entity, message, attempts, at: parkedAt, code, text })
        if (found.length === limit) return found
      }
      after = page.at(-1)
      if (page.length < 1_000) return found
    }
  }
  return {
    list: ({ limit = 100 } = {}) => engine.errand(() => list(limit)),
    unpark: (entity, head) =>
      engine.errand(async () => {
        await engine.unpark(entity, head)
        tell({ signal: 'unparked', entity })
      }),
  }
}

function toView({ id, to, body, reason }: DeadLetter): DeadLetterView {
  const { code, text, attempts, at } = JSON.parse(reason) as {
    code: string
    text: string
    attempts: number
    at: number
  }
  return { id, entity: to, message: readable(id, to, body), body, code, text, attempts, at }
}

function readable(id: MessageId, to: EntityId, body: string): Envelope | undefined {
  try {
    const message = decodeEnvelope(body)
    return message.id === id && message.to === to ? message : undefined
  } catch {
    return undefined
  }
}
