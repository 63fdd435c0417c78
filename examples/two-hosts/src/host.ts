// host.ts: one host as a process of its own: a small web server, and behind it the entities of the shards it owns.
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { InterstateError, idempotencyKey, type ShardId } from '@interstate/core'
import { createHost } from '@interstate/runtime'
import { door, doors, hall, halls } from './museum.ts'
import { openStore, type Place } from './store.ts'

/** What a host is told at its start. */
export interface HostLife extends Place {
  readonly detectMs: number
  /** When the museum opened; keys carry their time. */
  readonly openedAt: number
}

/** What a host tells the process that started it. */
export type HostNews =
  | { readonly news: 'open'; readonly port: number }
  | { readonly news: 'taken' | 'dropped'; readonly shards: readonly ShardId[] }
  | { readonly news: 'handled'; readonly messages: number }
  | { readonly news: 'trouble'; readonly text: string }

/** What is in the entities. */
export interface Totals {
  readonly doors: number
  readonly halls: number
}

const { detectMs, openedAt, ...place } = JSON.parse(process.argv[2] ?? '') as HostLife
process.on('disconnect', () => process.exit())

const { store, disconnect } = openStore(place)
const host = await createHost({
  entities: [door, hall],
  store,
  cluster: { detectMs, lookMs: 200 },
  onSignal(signal) {
    if (signal.signal === 'shards-taken') tell({ news: 'taken', shards: signal.shards })
    if (signal.signal === 'shards-dropped') tell({ news: 'dropped', shards: signal.shards })
    if (signal.signal === 'history-lost') tell({ news: 'trouble', text: signal.finding })
    if (signal.signal === 'fatal') tell({ news: 'trouble', text: signal.error.message })
  },
})
const server = createServer((request, response) => {
  answer(request).then(
    (body) => response.end(JSON.stringify(body)),
    (error: unknown) => response.writeHead(statusOf(error)).end(String(error)),
  )
})
server.listen(0, '127.0.0.1', () => tell({ news: 'open', port: (server.address() as AddressInfo).port }))
setInterval(() => tell({ news: 'handled', messages: messages() }), 100)
process.on('message', async () => {
  await host.stop()
  disconnect()
  process.exit()
})

/** `PUT /visitors/17` lets a visitor in, once, however often it is asked; `GET /totals` counts. */
async function answer({ method, url = '' }: IncomingMessage): Promise<Totals | { readonly isRepeated: boolean }> {
  if (method === 'GET') return totals()
  const visitor = Number(/^\/visitors\/(\d+)$/.exec(url)?.[1])
  const key = idempotencyKey(`visitor-${visitor}`, { at: openedAt })
  const enter = { type: 'Enter', hall: String(visitor % halls) } as const
  const { duplicate } = await host.send(door.at(String(visitor % doors)), enter, { idempotencyKey: key })
  return { isRepeated: duplicate }
}

/** Halls first: nobody is in a hall who was not at a door before. */
async function totals(): Promise<Totals> {
  const inHalls = await Promise.all(keys(halls).map((key) => host.read(hall.at(key))))
  const atDoors = await Promise.all(keys(doors).map((key) => host.read(door.at(key))))
  return { doors: sum(atDoors), halls: sum(inHalls) }
}

function sum(views: readonly ({ readonly context: { readonly visitors: number } } | undefined)[]): number {
  return views.reduce((total, view) => total + (view?.context.visitors ?? 0), 0)
}

function keys(number: number): readonly string[] {
  return Array.from({ length: number }, (_, index) => String(index))
}

function messages(): number {
  return Object.values(host.counters().turns).reduce((total, number) => total + number, 0)
}

/** 503: another host may do it, or this one later. */
function statusOf(error: unknown): number {
  return error instanceof InterstateError && error.retryable ? 503 : 500
}

function tell(news: HostNews): void {
  process.send?.(news)
}
