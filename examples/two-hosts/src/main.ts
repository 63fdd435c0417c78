// main.ts: the command line: a table on a terminal, lines elsewhere, JSON where it is asked for.
import { randomUUID } from 'node:crypto'
import { Command, InvalidArgumentError, Option } from 'commander'
import { createLogUpdate } from 'log-update'
import { type StoryEvent, sentence } from './events.ts'
import { startOwnServer } from './redis-server.ts'
import { clearStore, type Place } from './store.ts'
import { Story } from './story.ts'
import { table } from './table.ts'

interface Options {
  readonly store?: string
  readonly detect: number
  readonly act: number
  readonly json?: boolean
}

const command = new Command('npm start -w examples/two-hosts --')
  .description(
    'Two host processes share one Redis. One is killed with SIGKILL, the other takes over; it comes back and gets its share again. All the while visitors come in, and each is counted exactly once.',
  )
  .addOption(
    new Option(
      '-s, --store <url>',
      'a Redis, like redis://localhost:6379; without it an own server is started',
    ).argParser(redisUrl),
  )
  .addOption(milliseconds('--detect <ms>', 'after how long a silent host counts as dead', 2_000))
  .addOption(milliseconds('--act <ms>', 'how long each of the three acts goes on', 5_000))
  .option('--json', 'print what happens as JSON, one object a line')
  .addHelpText(
    'after',
    `
Examples:
  npm start -w examples/two-hosts                                      with a Redis server of its own
  npm start -w examples/two-hosts -- --store redis://localhost:6379    in yours, under keys of its own
  npm start -w examples/two-hosts -- --detect 500                      a faster takeover
  npm -s start -w examples/two-hosts -- --json                         for another program

Exit status: 0 all totals are right, 1 they are not, 2 wrong usage or no Redis.`,
  )
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))

const options = command.parse().opts<Options>()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
try {
  process.exitCode = await main(options)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}

async function main({ store, detect: detectMs, act: actMs, json = false }: Options): Promise<number> {
  const server = store === undefined ? await startOwnServer() : undefined
  const url = store ?? server?.url
  if (url === undefined) {
    return refuse(`redis-server is not installed. Debian, Ubuntu: sudo apt-get install redis-server; macOS: brew install redis;
Docker: docker run --rm -p 6379:6379 redis, and then --store redis://localhost:6379.`)
  }
  const place: Place = { url, prefix: `two-hosts-${randomUUID().slice(0, 8)}` }
  const screen = json ? asJson() : process.stdout.isTTY ? asTable() : asLines()
  const story = new Story({ place, detectMs, actMs, tell: screen.tell })
  try {
    await story.check()
  } catch (error) {
    await story.end()
    return refuse(`No Redis that will do at ${url}. ${error instanceof Error ? error.message : String(error)}`)
  }
  screen.show(story)
  try {
    return (await story.run()) ? 0 : 1
  } finally {
    screen.end()
    await story.end()
    if (server === undefined) await clearStore(place)
    server?.stop()
  }
}

/** Where the story is seen. */
interface Screen {
  tell(event: StoryEvent): void
  show(story: Story): void
  end(): void
}

function asJson(): Screen {
  return { tell: (event) => void process.stdout.write(`${JSON.stringify(event)}\n`), show() {}, end() {} }
}

function asLines(): Screen {
  return { tell: (event) => void process.stdout.write(`${sentence(event)}\n`), show() {}, end() {} }
}

function asTable(): Screen {
  const log = createLogUpdate(process.stdout)
  const begin = performance.now()
  const happened: string[] = []
  let draw = (): void => {}
  let timer: NodeJS.Timeout | undefined
  return {
    tell(event) {
      const at = ((performance.now() - begin) / 1_000).toFixed(1)
      happened.push(`${at.padStart(5)} s  ${sentence(event)}`)
      draw()
    },
    show(story) {
      draw = () => log(table(story, happened))
      timer = setInterval(draw, 100)
    },
    end() {
      clearInterval(timer)
      draw()
      log.done()
    },
  }
}

function refuse(why: string): number {
  process.stderr.write(`${why}\n`)
  return 2
}

function redisUrl(text: string): string {
  if (/^rediss?:\/\/./.test(text) && URL.canParse(text)) return text
  throw new InvalidArgumentError('It must look like redis://localhost:6379.')
}

function milliseconds(flags: string, description: string, most: number): Option {
  const parse = (text: string): number => {
    if (/^[1-9]\d{1,5}$/.test(text)) return Number(text)
    throw new InvalidArgumentError('It must be a number of milliseconds, 10 to 999999.')
  }
  return new Option(flags, description).argParser(parse).default(most)
}
