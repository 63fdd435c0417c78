// main.ts: the command line.
import { join, relative, resolve } from 'node:path'
import { InterstateError } from '@interstate/core'
import { Command, InvalidArgumentError, Option } from 'commander'
import { runCalm } from './calm.ts'
import { runChaos } from './chaos.ts'
import { runManyHosts } from './many-hosts.ts'
import { OrderBook } from './order-book.ts'
import { type BadLine, type Order, readOrders, readSource } from './orders.ts'
import { type Premises, shopAt, shopForChaos } from './premises.ts'
import { print } from './print.ts'
import { type Progress, showProgress, suitableStyle } from './progress.ts'
import { count, type Findings, type Report, reportOf } from './report.ts'
import { StoreMissing } from './shared-store.ts'
import type { ShopFiles } from './shop-files.ts'
import { shuffled } from './shuffle.ts'
import { nameOf, parseStore, type StoreAddress } from './store-address.ts'

const home = resolve(import.meta.dirname, '..')
const badLinesShown = 5

interface Options {
  readonly orders: string
  readonly store: StoreAddress
  readonly hosts: number
  readonly fresh?: boolean
  readonly chaos?: boolean
  readonly kills: number
  readonly json?: boolean
}

const command = new Command('npm start --')
  .description(
    'A potion shop on Interstate: takes orders, sets bottles aside, takes money, books a carrier, and undoes what cannot be finished. Ends with a report that holds what the shop did against what the orders say.',
  )
  .addOption(
    new Option('-o, --orders <file>', 'orders, one JSON object a line; - reads standard input').default(
      join(home, 'orders.jsonl'),
      "the example's orders.jsonl",
    ),
  )
  .addOption(
    new Option('-s, --store <where>', 'where the shop keeps its state: a file (SQLite), redis://… or redis-cluster://…')
      .argParser(storeAddress)
      .default({ kind: 'file', path: join(home, 'data', 'shop.db') }, "the example's data/shop.db"),
  )
  .addOption(
    new Option('--hosts <number>', 'how many processes run the shop together; needs a store that they can share')
      .argParser(atMost(16))
      .default(1),
  )
  .option('--fresh', 'forget what the store holds and start over')
  .option('--chaos', 'send every order twice, shuffled, to hosts that are killed in the middle of work')
  .addOption(
    new Option('--kills <number>', 'with --chaos: how many hosts to kill').argParser(atMost(9_999)).default(20),
  )
  .option('--json', 'print the report as one JSON object')
  .addHelpText(
    'after',
    `
Examples:
  npm start                                 6,000 orders; run it again, and nothing happens twice
  npm start -- --chaos                      the same totals, after 20 kills with SIGKILL
  npm start -- --orders mine.jsonl          your own orders
  cat mine.jsonl | npm start -- --orders -  from standard input
  npm -s start -- --json                    for another program: one JSON object and nothing else

Several hosts on Redis:
  npm start -- --store redis://localhost:6379 --hosts 3           three processes share the orders
  npm start -- --store redis://localhost:6379 --hosts 3 --chaos   any of them is killed, a new one comes
  npm start -- --store redis-cluster://a:6379,b:6379 --hosts 3    the same on a cluster

An order:
  {"order":"o-1","placedAt":"2026-01-31T12:00:00Z","lines":[{"potion":"luck","quantity":1}],
   "limitCents":9000,"confirms":true,"shipTo":"Mistvale"}

--chaos uses a store of its own, in the temporary folder or in the Redis of --store, and leaves the shop alone.
A Redis with a password: redis://:password@host:6379. All keys of the shop begin with {potion-shop.
Exit status: 0 all adds up, 1 it does not, 2 wrong usage or no such store.`,
  )
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))

const options = command.parse().opts<Options>()
if (options.store.kind === 'file' && options.hosts > 1) {
  const why = `--hosts ${options.hosts} needs a store that hosts can share, and a file has one owner`
  command.error(`error: ${why}. Give one, for example --store redis://localhost:6379.`)
}
try {
  process.exitCode = (await run(options)) ? 0 : 1
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`)
  process.exit(isMissing(error) || error instanceof StoreMissing ? 2 : 1)
}

/** @returns Whether all adds up. */
async function run(options: Options): Promise<boolean> {
  const { chaos = false, json = false } = options
  const input = readOrders(await readSource(options.orders === '-' ? '-' : fromUser(options.orders)))
  const premises = await premisesFor(options)
  const { sent, book, bad } = enter(premises.files, input)
  if (!json) complain(bad)
  const orders = [...new Map(sent.map((order) => [order.order, order])).values()]

  const title = chaos ? 'Chaos in the potion shop' : 'Potion shop'
  const progress = showProgress(title, orders.length, json ? 'silent' : suitableStyle())
  const done = await work(options, premises, { sent, book, progress })
  progress.end(`${count(orders.length)} orders have come to their end`)

  const report = reportOf({ orders, book, ...done, bad })
  const text = print(report, { where: whereabouts(options), notes: notesOn(report, options) })
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : `\n${text}`)
  // What does not add up is left for a person to look at.
  if (chaos && report.conserved) await premises.clear()
  return report.conserved
}

async function premisesFor({ store, chaos = false, fresh = false }: Options): Promise<Premises> {
  if (chaos) return shopForChaos(store)
  const premises = await shopAt(store, join(home, 'data'))
  if (fresh) await premises.clear()
  return premises
}

interface Input {
  /** As they stand in the input, repeats and all. */
  readonly sent: readonly Order[]
  readonly book: ReadonlyMap<string, Order>
  readonly progress: Progress
}

function work(
  { chaos = false, kills, hosts }: Options,
  { files, place }: Premises,
  { sent, book, progress }: Input,
): Promise<Pick<Findings, 'audit' | 'work'>> {
  if (place === undefined)
    return chaos ? runChaos({ files, book, kills, progress }) : runCalm(files, sent, book, progress)
  const { ledger } = files
  const orders = chaos ? shuffled([...sent, ...sent]) : sent
  return runManyHosts({ place, hosts, ledger, orders, book, kills: chaos ? kills : 0, progress })
}

/** Enters the orders into the book. An order that is there twice is sent twice; one with the number of another is not. */
function enter({ book: path }: ShopFiles, { lines, bad }: ReturnType<typeof readOrders>) {
  const book = new OrderBook(path)
  const refused = book.enter(lines)
  const numbers = new Set(refused.map(({ line }) => line))
  return {
    sent: lines.filter(({ line }) => !numbers.has(line)).map(({ order }) => order),
    book: book.orders,
    bad: [...bad, ...refused].sort((one, other) => one.line - other.line),
  }
}

function notesOn(report: Report, { chaos = false, store }: Options): readonly string[] {
  const { orders, messages, outcomes, duplicatesRefused } = report
  const notes: string[] = []
  const sentTwice = store.kind === 'file' ? 'each host was given every order twice' : 'every order was sent twice'
  if (chaos) notes.push(`${sentTwice}; a killed host took its last counts with it`)
  if (!chaos && orders > 0 && messages === 0) {
    notes.push(`all orders were known, ${count(duplicatesRefused)} messages were refused: nothing happened twice`)
  } else if (outcomes['timed-out'] > 0) {
    notes.push('with nothing left to do the clock was put forward: half an hour without a confirmation')
  }
  return notes
}

function whereabouts({ store, chaos = false, hosts }: Options): string {
  if (store.kind === 'file') return chaos ? 'under chaos' : `kept in ${relative(process.cwd(), store.path)}`
  const how = `${chaos ? 'under chaos' : 'kept'} in ${nameOf(store)}`
  return hosts === 1 ? how : `${how}, by ${hosts} hosts`
}

function complain(badLines: readonly BadLine[]): void {
  for (const { line, problem } of badLines.slice(0, badLinesShown)) process.stderr.write(`line ${line}: ${problem}\n`)
  const more = badLines.length - badLinesShown
  if (more > 0) process.stderr.write(`and ${count(more)} more bad lines\n`)
}

/** npm runs a script in the folder of its package; the user may have been in another. */
function fromUser(path: string): string {
  const from = process.env.npm_lifecycle_event === 'start' ? process.env.INIT_CWD : undefined
  return resolve(from ?? process.cwd(), path)
}

function atMost(most: number): (text: string) => number {
  return (text) => {
    if (/^[1-9]\d{0,3}$/.test(text) && Number(text) <= most) return Number(text)
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${most}.`)
  }
}

function storeAddress(text: string): StoreAddress {
  try {
    const address = parseStore(text)
    return address.kind === 'file' ? { kind: 'file', path: fromUser(address.path) } : address
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message)
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'EISDIR')
}

function messageOf(error: unknown): string {
  if (error instanceof InterstateError || error instanceof StoreMissing || isMissing(error))
    return (error as Error).message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
