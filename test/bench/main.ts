// main.ts: runs the benchmarks and prints a table, or one JSON object.
import { spawnSync } from 'node:child_process'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { markdownTable } from 'markdown-table'
import type { Sample } from './hosted.ts'

const help = `npm run bench [-- options]

Measures Interstate on this machine: messages per second against what XState and SQLite alone can do in the same run,
memory, latency, start-up time. Each sample is a process of its own; W1, W2 and their limits are measured in its second
round, when the compiler is warm; so is check. The table shows medians.

  --only w1,w2,ask,startup,growth,check,redis   what to measure (default: all)
  --runs <n>                        samples of each (default: 5; ask, startup and growth: at most 3)
  --json                            one JSON object on standard output
  --help                            this text

W1  50,000 one-way messages over 1,000 counters, 5,000 calls under way, from send to drained, fsync on every commit
W2  10,000 orders through saga, stock, saga, payment, saga: 5 messages each
check         states a second of the testing kit's search, four transfers between two accounts, on one core
of XState     our figure divided by that of XState's own transition() and JSON.stringify in a loop
of raw store  our figure divided by that of three rows a message (inbox, state, inbox) through node:sqlite, in batches
              of as many messages as our groups have
redis         W1 and W2 with 1, 2 and 4 hosts, each a process, on one Redis server with an append-only file; beside the
              commit script alone, with what a turn of the workload brings, sent by one client in batches of 256; what things take in its memory
of naive      our figure divided by that of a short loop over XState and node:sqlite, 256 messages a transaction`

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: 'w1,w2,ask,startup,growth,check,redis' },
    runs: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  process.stdout.write(`${help}\n`)
  process.exit(0)
}

// The young generation is held at 3 x 8 MB: left alone, V8 takes what a large machine offers, and RSS shows that only.
const flags = ['--max-semi-space-size=8', '--conditions=@interstate/source']
const known = ['w1', 'w2', 'ask', 'startup', 'growth', 'check', 'redis']
const runs = Number(values.runs)
const wanted = new Set(values.only.split(','))
const unknown = [...wanted].filter((name) => !known.includes(name))
if (unknown.length > 0 || !Number.isInteger(runs) || runs < 1) {
  process.stderr.write(`Unknown measurement or number of runs. See npm run bench -- --help\n`)
  process.exit(2)
}
const result: Record<string, unknown> = {
  machine: `${cpus().length} x ${cpus()[0]?.model.trim()}`,
  node: process.version,
}
const rows: string[][] = [['', 'per second', 'of XState', 'of raw store', 'of naive', 'RSS MB', '']]

if (wanted.has('w1')) result.w1 = workload('w1', 'W1 messages', 50_000)
if (wanted.has('w2')) result.w2 = workload('w2', 'W2 orders', 50_000)
if (wanted.has('ask')) {
  const load = Math.round(((result.w1 as { perSecond: number } | undefined)?.perSecond ?? 40_000) / 2)
  const { perSecond, p50Ms, p99Ms, rssMB } = median('ask', few(runs), String(load))
  result.ask = { perSecond, p50Ms, p99Ms, rssMB }
  rows.push(['ask at half load', whole(perSecond), '', '', '', whole(rssMB), `p50 ${ms(p50Ms)}, p99 ${ms(p99Ms)}`])
}
if (wanted.has('startup')) {
  const { startupMs, rssMB } = median('startup', few(runs), '100000')
  result.startup = { entities: 100_000, startupMs, rssMB }
  rows.push(['start with 100,000 entities', '', '', '', '', whole(rssMB), `first answer after ${ms(startupMs)}`])
}
if (wanted.has('check')) {
  const { perSecond, rssMB, states = 0 } = median('check', runs, '0')
  result.check = { perSecond, states, rssMB }
  rows.push(['check: states', whole(perSecond), '', '', '', whole(rssMB), `${whole(states)} states in all`])
}
if (wanted.has('growth')) result.growth = [1_000, 10_000, 100_000, 1_000_000].map(growth)

const redisRows: string[][] = []
if (wanted.has('redis')) await redis()

process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : table())

/** A workload beside its limits; samples of all four alternate, so that a noisy moment hits them alike. */
function workload(name: 'w1' | 'w2', title: string, messages: number): Record<string, number> {
  const samples: Record<'own' | 'xstate' | 'raw' | 'naive', Sample[]> = { own: [], xstate: [], raw: [], naive: [] }
  for (let run = 0; run < runs; run += 1) {
    const own = take(name)
    samples.own.push(own)
    samples.xstate.push(take(`${name}-xstate`))
    samples.raw.push(take(`${name}-raw`, '0', String(Math.round(messages / (own.groups ?? 1)))))
    samples.naive.push(take(`${name}-naive`))
  }
  const { perSecond, rssMB, groups = 0, commits = 0 } = medianOf(samples.own)
  const of = (limit: readonly Sample[]): number => round(perSecond / medianOf(limit).perSecond)
  const figures = {
    perSecond,
    ofXState: of(samples.xstate),
    ofRawStore: of(samples.raw),
    ofNaive: of(samples.naive),
    rssMB,
    groups,
    commits,
  }
  const { ofXState, ofRawStore, ofNaive } = figures
  const note = `${whole(groups)} groups, ${whole(commits)} rows`
  rows.push([title, whole(perSecond), `${ofXState}`, `${ofRawStore}`, `${ofNaive}`, whole(rssMB), note])
  return figures
}

async function redis(): Promise<void> {
  // Only here: without a Redis server there is nothing else of it.
  const { memoryOnRedis, runOnRedis } = await import('./redis.ts')
  redisRows.push(['on Redis', 'fsync', 'hosts', 'per second', 'of raw script', 'scripts a message', 'bytes a message'])
  const figures: Record<string, unknown>[] = []
  for (const [name, title] of [
    ['w1', 'W1 messages'],
    ['w2', 'W2 orders'],
  ] as const) {
    for (const fsync of ['everysec', 'always'] as const) {
      for (const hosts of [1, 2, 4]) {
        const samples: Sample[] = []
        for (let run = 0; run < few(runs); run += 1) {
          if (!values.json && process.stderr.isTTY) process.stderr.write(`\r\u001b[K${title} ${fsync} ${hosts} ...`)
          const { fsync: _, ...sample } = await runOnRedis(name, fsync, hosts)
          samples.push({ ...sample, rssMB: 0 })
        }
        const { perSecond, ofRaw = 0, scripts = 0, bytes = 0 } = medianOf(samples)
        figures.push({ workload: name, fsync, hosts, perSecond, ofRaw, scripts, bytes })
        redisRows.push([title, fsync, `${hosts}`, whole(perSecond), `${ofRaw}`, `${scripts}`, whole(bytes)])
      }
    }
  }
  const memory = await memoryOnRedis()
  result.redis = { figures, memory }
  const { idleEntity, waitingMessage, lane } = memory
  redisRows.push([
    `bytes: ${whole(idleEntity)} an idle entity, ${whole(waitingMessage)} a waiting message, ${whole(lane)} a lane`,
  ])
}

function growth(entities: number): Record<string, number> {
  const { perSecond, rssMB } = median('growth', few(runs), String(entities))
  rows.push([
    `W1 over ${entities.toLocaleString('en')} entities`,
    whole(perSecond),
    '',
    '',
    '',
    whole(rssMB),
    '10,000 in memory, 1,000 calls under way',
  ])
  return { entities, perSecond, rssMB }
}

function median(name: string, times: number, size: string): Sample {
  return medianOf(Array.from({ length: times }, () => take(name, size)))
}

function take(...args: readonly string[]): Sample {
  if (!values.json && process.stderr.isTTY) process.stderr.write(`\r\u001b[K${args.join(' ')} ...`)
  const script = fileURLToPath(new URL('measure.ts', import.meta.url))
  const environment = { ...process.env, NODE_ENV: 'production' }
  const child = spawnSync(process.execPath, [...flags, script, ...args], {
    env: environment,
    encoding: 'utf8',
  })
  if (!values.json && process.stderr.isTTY) process.stderr.write('\r\u001b[K')
  if (child.status !== 0) throw new Error(`${args.join(' ')} failed:\n${child.stderr}`)
  return JSON.parse(child.stdout) as Sample
}

function medianOf(samples: readonly Sample[]): Sample {
  const figures = Object.keys(samples[0] ?? {})
  return Object.fromEntries(
    figures.map((figure) => [figure, middle(samples.map((sample) => sample[figure] ?? 0))]),
  ) as Sample
}

function middle(figures: readonly number[]): number {
  return round([...figures].sort((one, two) => one - two)[Math.floor(figures.length / 2)] ?? 0)
}

function table(): string {
  const where = `${result.machine}, Node ${process.version}, ${runs} runs, medians`
  const tables = [rows, redisRows].filter(({ length }) => length > 1)
  const texts = tables.map((each) => markdownTable(each, { align: ['l', 'r', 'r', 'r', 'r', 'r', 'l'] }))
  return `${texts.join('\n\n')}\n\n${where}\n`
}

function few(times: number): number {
  return Math.min(3, times)
}

function whole(figure = 0): string {
  return Math.round(figure).toLocaleString('en')
}

function ms(figure = 0): string {
  return `${figure < 10 ? figure.toFixed(1) : Math.round(figure)} ms`
}

function round(figure: number): number {
  return Math.round(figure * 100) / 100
}
