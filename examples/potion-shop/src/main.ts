// main.ts: the command line.
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { InterstateError } from '@interstate/core'
import { Command, InvalidArgumentError, Option } from 'commander'
import { runCalm } from './calm.ts'
import { runChaos } from './chaos.ts'
import { OrderBook } from './order-book.ts'
import { type BadLine, readOrders, readSource } from './orders.ts'
import { print } from './print.ts'
import { showProgress, suitableStyle } from './progress.ts'
import { count, type Report, reportOf } from './report.ts'
import { clearAway, filesBeside, type ShopFiles } from './shop.ts'

const home = resolve(import.meta.dirname, '..')
const badLinesShown = 5

interface Options {
  readonly orders: string
  readonly store: string
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
    new Option('-s, --store <file>', 'where the shop keeps its state (SQLite)').default(
      join(home, 'data', 'shop.db'),
      "the example's data/shop.db",
    ),
  )
  .option('--fresh', 'forget what the store holds and start over')
  .option('--chaos', 'send every order twice, shuffled, to hosts that are killed in the middle of work')
  .addOption(new Option('--kills <number>', 'with --chaos: how many hosts to kill').argParser(wholeNumber).default(20))
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

An order:
  {"order":"o-1","placedAt":"2026-01-31T12:00:00Z","lines":[{"potion":"luck","quantity":1}],
   "limitCents":9000,"confirms":true,"shipTo":"Mistvale"}

--chaos uses a store of its own in the temporary folder and leaves --store alone.
Exit status: 0 all adds up, 1 it does not, 2 wrong usage.`,
  )
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))

const options = command.parse().opts<Options>()
try {
  process.exitCode = (await run(options)) ? 0 : 1
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`)
  process.exit(isMissing(error) ? 2 : 1)
}

/** @returns Whether all adds up. */
async function run(options: Options): Promise<boolean> {
  const { chaos = false, json = false, kills } = options
  const input = readOrders(await readSource(options.orders === '-' ? '-' : fromUser(options.orders)))
  const files = await filesFor(options)
  const { sent, book, bad } = enter(files, input)
  if (!json) complain(bad)
  const orders = [...new Map(sent.map((order) => [order.order, order])).values()]

  const title = chaos ? 'Chaos in the potion shop' : 'Potion shop'
  const progress = showProgress(title, orders.length, json ? 'silent' : suitableStyle())
  const done = chaos ? await runChaos({ files, book, kills, progress }) : await runCalm(files, sent, book, progress)
  progress.end(`${count(orders.length)} orders have come to their end`)

  const report = reportOf({ orders, book, ...done, bad })
  const text = print(report, { where: placeOf(files, chaos), notes: notesOn(report, chaos) })
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : `\n${text}`)
  // What does not add up is left for a person to look at.
  if (chaos && report.conserved) await rm(dirname(files.store), { recursive: true })
  return report.conserved
}

async function filesFor({ store, chaos = false, fresh = false }: Options): Promise<ShopFiles> {
  if (chaos) return filesBeside(join(await mkdtemp(join(tmpdir(), 'potion-shop-')), 'shop.db'))
  const files = filesBeside(fromUser(store))
  if (fresh) await clearAway(files)
  await mkdir(dirname(files.store), { recursive: true })
  return files
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

function notesOn({ orders, messages, outcomes, duplicatesRefused }: Report, chaos: boolean): readonly string[] {
  const notes: string[] = []
  if (chaos) notes.push('each host was given every order twice; a killed one took its last counts with it')
  if (!chaos && orders > 0 && messages === 0) {
    notes.push(`all orders were known, ${count(duplicatesRefused)} messages were refused: nothing happened twice`)
  } else if (outcomes['timed-out'] > 0) {
    notes.push('with nothing left to do the clock was put forward: half an hour without a confirmation')
  }
  return notes
}

function placeOf({ store }: ShopFiles, chaos: boolean): string {
  return chaos ? 'under chaos' : `kept in ${relative(process.cwd(), store)}`
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

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 1 to 9999.')
  return Number(text)
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'EISDIR')
}

function messageOf(error: unknown): string {
  if (error instanceof InterstateError || isMissing(error)) return (error as Error).message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
