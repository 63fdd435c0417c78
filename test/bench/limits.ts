// limits.ts: what the same work costs without a framework: XState alone, the store alone, and a naive loop over both.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { AddressRef } from '@interstate/core'
import { type AnyMachineSnapshot, type AnyStateMachine, initialTransition, transition } from 'xstate'
import { counter, counterKey } from './counters.ts'
import type { Sample } from './hosted.ts'
import { order, orderOf, payment, stock } from './orders.ts'

interface Message {
  readonly to: string
  readonly machine: AnyStateMachine
  readonly event: { readonly type: string; readonly [property: string]: unknown }
}

/** The messages of W1, one at a time. */
export function* counterMessages(messages: number, entities: number): Iterable<Message> {
  for (let n = 0; n < messages; n += 1) {
    yield { to: `counter/${counterKey(n, entities)}`, machine: counter.machine, event: { type: 'Add', by: 1 } }
  }
}

/** The first messages of W2; the others follow from them. */
export function* orderMessages(orders: number): Iterable<Message> {
  for (let n = 0; n < orders; n += 1) {
    const { orderId, item, cents } = orderOf(n)
    yield { to: `order/${orderId}`, machine: order.machine, event: { type: 'Place', orderId, item, cents } }
  }
}

/** XState's own `transition()` and the JSON of each snapshot, in memory. */
export function runXState(work: Iterable<Message>, units: number): Sample {
  const states = new Map<string, AnyMachineSnapshot>()
  const begin = performance.now()
  let bytes = 0
  for (const first of work) {
    for (const queue = [first]; queue.length > 0; ) {
      const { snapshot } = take(states, queue)
      bytes += JSON.stringify(snapshot).length
    }
  }
  if (bytes === 0) throw new Error('nothing was done')
  return sample(units, performance.now() - begin)
}

/** The rows that each message costs a plain store: into the inbox, the new state, out of the inbox; in equal batches. */
export function runRawStore(messages: number, entities: number, batch: number): Sample {
  return onFile((database) => {
    const put = database.prepare('INSERT INTO inbox (id, entity, body) VALUES (?, ?, ?)')
    const save = database.prepare(upsert)
    const drop = database.prepare('DELETE FROM inbox WHERE id = ?')
    const state = 's'.repeat(300)
    const body = 'b'.repeat(200)
    const begin = performance.now()
    for (let n = 0; n < messages; ) {
      database.exec('BEGIN')
      for (let each = 0; each < batch && n < messages; each += 1, n += 1) {
        put.run(`m${n}`, `e${n % entities}`, body)
        save.run(`e${n % entities}`, state)
        drop.run(`m${n}`)
      }
      database.exec('COMMIT')
    }
    return sample(messages, performance.now() - begin)
  })
}

/** Sixty lines that many would write: a transition, a state row and a mark against duplicates for each message. */
export function runNaive(work: Iterable<Message>, units: number): Sample {
  return onFile((database) => {
    const save = database.prepare(upsert)
    const mark = database.prepare('INSERT INTO seen (id) VALUES (?)')
    const states = new Map<string, AnyMachineSnapshot>()
    const begin = performance.now()
    let handled = 0
    database.exec('BEGIN')
    for (const first of work) {
      for (const queue = [first]; queue.length > 0; ) {
        const { to, snapshot } = take(states, queue)
        save.run(to, JSON.stringify(snapshot))
        mark.run(`m${handled}`)
        handled += 1
        if (handled % 256 === 0) database.exec('COMMIT; BEGIN')
      }
    }
    database.exec('COMMIT')
    return sample(units, performance.now() - begin)
  })
}

const upsert = 'INSERT INTO entities (id, state) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET state = excluded.state'

/** Handles the first message of a queue; what follows from it goes to its end. */
function take(states: Map<string, AnyMachineSnapshot>, queue: Message[]): { to: string; snapshot: AnyMachineSnapshot } {
  const { to, machine, event } = queue.shift() as Message
  const before = states.get(to) ?? initialTransition(machine, { key: to } as never)[0]
  const [snapshot, actions] = transition(machine, before as never, event as never)
  states.set(to, snapshot as AnyMachineSnapshot)
  for (const { type, params } of actions as readonly { type: string; params: unknown }[]) {
    if (type === 'xstate.sendTo') queue.push(sent(params as { to: AddressRef; event: Message['event'] }))
    if (type === 'xstate.emit') queue.push(published(to, (params as { event: Message['event'] }).event))
  }
  return { to, snapshot: snapshot as AnyMachineSnapshot }
}

function sent({ to, event }: { to: AddressRef; event: Message['event'] }): Message {
  return { to: to.id(), machine: to.contract.name === 'stock' ? stock.machine : payment.machine, event }
}

function published(from: string, event: Message['event']): Message {
  const [type, key] = from.split('/') as [string, string]
  const to = type === 'stock' ? (event.orderId as string) : key
  return { to: `order/${to}`, machine: order.machine, event: { ...event, type: `${type}.${event.type}` } }
}

function onFile(run: (database: DatabaseSync) => Sample): Sample {
  const folder = mkdtempSync(join(tmpdir(), 'interstate-bench-'))
  const database = new DatabaseSync(join(folder, 'bench.db'))
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
    database.exec('CREATE TABLE entities (id TEXT PRIMARY KEY, state TEXT NOT NULL)')
    database.exec('CREATE TABLE inbox (id TEXT PRIMARY KEY, entity TEXT NOT NULL, body TEXT NOT NULL)')
    database.exec('CREATE TABLE seen (id TEXT PRIMARY KEY)')
    return run(database)
  } finally {
    database.close()
    rmSync(folder, { recursive: true })
  }
}

function sample(units: number, ms: number): Sample {
  return { perSecond: (units / ms) * 1_000, rssMB: process.resourceUsage().maxRSS / 1_024 }
}
