// program.ts: the commands, their options and their help. What a command does is in the file of its name.
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import type { Answer, Context } from './answer.ts'
import { listLetters, requeueLetters, showLetter } from './dead-letters.ts'
import { dryRun } from './dry-run.ts'
import { showEntity } from './entity.ts'
import { hosts } from './hosts.ts'
import type { Outside } from './outside.ts'
import { placeOf } from './places.ts'
import { purge } from './purge.ts'
import { type Failure, failureOf, lineOf } from './refusal.ts'
import { resume } from './resume.ts'
import { shards } from './shards.ts'
import { styleOf } from './tables.ts'
import { version } from './version.ts'

interface StoreOptions {
  readonly store?: string
  readonly prefix?: string
  readonly shards?: number
  readonly trustConfig?: boolean
  readonly json?: boolean
}

/**
 * Runs one call of the command line. Gives its exit code: 0 done, 1 refused or failed, 2 wrong usage.
 *
 * @param args - What stands behind `interstate`.
 */
export async function runCommand(args: readonly string[], outside: Outside): Promise<0 | 1 | 2> {
  try {
    await programOf(outside).parseAsync([...args], { from: 'user' })
    return 0
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    const failure = error instanceof CommanderError ? usageOf(error) : failureOf(error)
    const { code, what, remedy, exitCode } = failure
    if (wantsJson(args)) outside.out(`${JSON.stringify({ error: { code, what, remedy } }, undefined, 2)}\n`)
    outside.err(`${lineOf(failure)}\n`)
    return exitCode
  }
}

function programOf(outside: Outside): Command {
  const program = new Command('interstate')
    .description('Looks after a store of Interstate: its hosts and shards, its entities, its dead letters.')
    .version(version)
    .option('-s, --store <url>', 'the store, see below; or INTERSTATE_STORE in the environment')
    .option('--prefix <text>', 'of the keys in Redis, as the hosts have it')
    .addOption(new Option('--shards <number>', 'P: refuses a store that has another').argParser(positive))
    .option('--trust-config', 'Redis that forbids CONFIG: its settings are known to be right')
    .option('--json', 'one JSON document instead of text')
    .configureHelp({ showGlobalOptions: true, helpWidth: 100 })
    .configureOutput({ writeOut: outside.out, writeErr: () => {}, outputError: () => {} })
    .exitOverride()
    .addHelpText('after', programHelp)
  // Not by commander: it reads that of the process, and a test has its own.
  const { INTERSTATE_STORE: fromEnv } = outside.env
  const run = async (command: Command, work: (context: Context) => Promise<Answer>): Promise<void> => {
    const {
      json = false,
      store = fromEnv,
      prefix,
      shards: number,
      trustConfig,
    } = command.optsWithGlobals<StoreOptions>()
    const place = placeOf({ store, prefix, shards: number, trustConfig })
    const open = await outside.open(place)
    try {
      const { document, text } = await work({ store: open.driver, outside, style: styleOf(outside) })
      outside.out(json ? `${JSON.stringify(document, undefined, 2)}\n` : `${text}\n`)
    } finally {
      await open.close()
    }
  }
  addHosts(program, run)
  addShards(program, run)
  addEntity(program, run)
  addDeadLetters(program, run)
  addPurge(program, run)
  return program
}

type Run = (command: Command, work: (context: Context) => Promise<Answer>) => Promise<void>

const programHelp = `
Stores:
  sqlite:./shop.db, ./shop.db                 a file; no host may have it open
  redis://:password@localhost:6379/0          one Redis, or rediss:// with TLS
  redis-cluster://one:6379,two:6379           Redis Cluster, or rediss-cluster://

Examples:
  interstate hosts --store redis://localhost
  interstate dead-letters list --store ./shop.db
  INTERSTATE_STORE=./shop.db interstate entity show payment/42 --json

Nothing here takes a shard or makes a store. Exit status: 0 done, 1 refused or failed, 2 wrong usage.`

function addHosts(program: Command, run: Run): void {
  program
    .command('hosts')
    .description('who lives, and what each host runs')
    .addOption(
      new Option('--patience <ms>', 'how long a host may take to show a sign of life')
        .argParser(positive)
        .default(3_000),
    )
    .addHelpText(
      'after',
      `
A host that shows no sign of life while we look is silent: it hangs, or is gone and not struck off yet.

Examples:
  interstate hosts --store redis://localhost
  interstate hosts --json | jq '.hosts[] | select(.isAlive | not) | .host'`,
    )
    .action((_, command: Command) => run(command, (context) => hosts(context, { patienceMs: command.opts().patience })))
}

function addShards(program: Command, run: Run): void {
  const group = program
    .command('shards')
    .description('who runs which shard, and what waits there')
    .addOption(new Option('--all', 'one row for each shard').conflicts('shard'))
    .addOption(new Option('--shard <number>', 'one shard alone; counts all its messages').argParser(whole))
    .addHelpText(
      'after',
      `
The picture has a letter for each shard: its owner, or a dot. Up to 100 waiting messages of a shard are counted.

Examples:
  interstate shards --store redis://localhost     the picture, and a row for each owner
  interstate shards --shard 17                    one of them
  interstate shards resume 17 --dry-run           what is known to be lost, after an alarm`,
    )
    .action((_, command: Command) => {
      const { all, shard } = command.opts()
      return run(command, (context) => shards(context, { all, shard }))
    })
  group
    .command('resume')
    .argument('<shard>', 'its number', whole)
    .description('after an alarm of lost history: shows what is lost, and lets the shard go on without it')
    // The options of `shards` alone are none of it.
    .configureHelp({ showGlobalOptions: true, helpWidth: 100, visibleGlobalOptions: () => [...program.options] })
    .option('--dry-run', 'only show')
    .option('-y, --yes', 'do not ask')
    .addHelpText(
      'after',
      `
Compares both ends of all lanes to and from the shard. Restore a backup first where there is one: what is given up
here does not come back.

Examples:
  interstate shards resume 17 --dry-run
  interstate shards resume 17`,
    )
    .action((shard: number, _, command: Command) => {
      const [stray] = Object.keys(group.opts())
      if (stray !== undefined) command.error(`unknown option '--${stray}'`)
      const { dryRun: only, yes } = command.opts()
      return run(command, (context) => resume(context, { shard, dryRun: only, yes }))
    })
}

function addEntity(program: Command, run: Run): void {
  const group = program.command('entity').description('what is stored of an entity')
  group
    .command('show')
    .argument('<type/key>', 'payment/42, or tenant/payment/42')
    .description('state, context, timers, effects, trouble, and what waits for it')
    .addOption(new Option('--limit <number>', 'waiting messages at most').argParser(positive).default(20))
    .addHelpText(
      'after',
      `
Examples:
  interstate entity show payment/42 --store ./shop.db
  interstate entity show payment/42 --json | jq .context`,
    )
    .action((name: string, _, command: Command) => {
      return run(command, (context) => showEntity(context, { name, limit: command.opts().limit }))
    })
}

function addDeadLetters(program: Command, run: Run): void {
  const group = program.command('dead-letters').description('messages given up and kept for a person')
  const entity = new Option('--entity <type/key>', 'of this entity alone')
  const code = new Option('--code <code>', 'given up for this reason alone: MACHINE_FAILED')
  group
    .command('list')
    .description('dead letters by id, a page at a time')
    .addOption(new Option('--limit <number>', 'at most').argParser(positive).default(50))
    .option('--after <id>', 'the last id of the page before')
    .addOption(entity)
    .addOption(code)
    .addHelpText(
      'after',
      `
Examples:
  interstate dead-letters list --store ./shop.db
  interstate dead-letters list --code MACHINE_FAILED --json | jq -r '.deadLetters[].id'`,
    )
    .action((_, command: Command) => run(command, (context) => listLetters(context, letterOptions(command))))
  group
    .command('show')
    .argument('<id>')
    .description('one dead letter, with its message')
    .addHelpText('after', '\nExample:\n  interstate dead-letters show 01HV3 --json | jq .message.data')
    .action((id: string, _, command: Command) => run(command, (context) => showLetter(context, id)))
  group
    .command('dry-run')
    .argument('<id>')
    .description('what would happen if it were handled now; changes nothing')
    .option('--app <module>', 'a module that exports the definitions as `entities`')
    .addHelpText(
      'after',
      `
The module runs in this process: it must define entities, and start nothing.

Example:
  interstate dead-letters dry-run 01HV3 --app ./src/entities.ts`,
    )
    .action((id: string, _, command: Command) => {
      return run(command, (context) => dryRun(context, { id, app: command.opts().app }))
    })
  group
    .command('requeue')
    .argument('[id...]')
    .description('puts dead letters back at the end of the inboxes of their entities')
    .option('--all', 'all that can be read')
    .addOption(entity)
    .addOption(code)
    .option('-y, --yes', 'with --all: do not ask')
    .addHelpText(
      'after',
      `
Examples:
  interstate dead-letters requeue 01HV3 01HV4
  interstate dead-letters requeue --all --code MACHINE_FAILED`,
    )
    .action((ids: string[], _, command: Command) => {
      const { all, entity: of, code: why, yes } = command.opts()
      return run(command, (context) => requeueLetters(context, { ids, all, entity: of, code: why, yes }))
    })
}

function addPurge(program: Command, run: Run): void {
  program
    .command('purge')
    .description('forgets idempotency keys made before a date; they are refused from then on')
    .requiredOption('--before <date>', '2026-01-31 (UTC), or 2026-01-31T12:00:00Z')
    .option('-y, --yes', 'do not ask; needed where nobody is at a terminal')
    .addHelpText('after', '\nExample:\n  interstate purge --before 2026-01-31 --store ./shop.db')
    .action((_, command: Command) => {
      const { before, yes } = command.opts()
      return run(command, (context) => purge(context, { before, yes }))
    })
}

function letterOptions(command: Command): Parameters<typeof listLetters>[1] {
  const { limit, after, entity, code } = command.opts()
  return { limit, after, entity, code }
}

function whole(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return Number(text)
}

function positive(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 1.')
  return Number(text)
}

/** What commander has to say, as one of our lines. */
function usageOf({ code, message }: CommanderError): Failure {
  // It shows the help instead of naming what is missing.
  const isIncomplete = code === 'commander.help'
  const what = isIncomplete ? 'a command is missing' : message.replace(/^error: /, '').replaceAll('\n', ' ')
  return { code: 'USAGE', what, remedy: 'see interstate --help, or --help of the command', exitCode: 2 }
}

function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf('--')
  return (end === -1 ? args : args.slice(0, end)).includes('--json')
}
