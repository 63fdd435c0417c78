import { execFile } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { createHost } from '@interstate/runtime'
import { sqliteStore } from '@interstate/store-sqlite'
import { VirtualEnv } from '@interstate/testing'
import { describe, expect, test } from 'vitest'
import { interstate, temporaryFolder } from './console.ts'
import { trade } from './shop.ts'
import { entities } from './till.ts'

const main = new URL('../src/main.ts', import.meta.url).pathname
const app = new URL('./till.ts', import.meta.url).pathname

async function shopFile(): Promise<string> {
  const path = join(temporaryFolder(), 'shop.db')
  await trade(sqliteStore({ path, shards: 16 }))
  return path
}

const readOnly = [
  ['hosts'],
  ['shards', '--all'],
  ['entity', 'show', 'till/front'],
  ['dead-letters', 'list'],
  ['dead-letters', 'requeue', 'nobody'],
]

describe('a file', () => {
  test('is looked at and not changed', async () => {
    const path = await shopFile()
    const contents = (): unknown => {
      // A copy: reading it would leave files beside the store.
      const copy = join(temporaryFolder(), 'copy.db')
      copyFileSync(path, copy)
      const db = new DatabaseSync(copy)
      const tables = db.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`).all()
      const rows = tables.map(({ name }) => [name, db.prepare(`SELECT * FROM "${name}"`).all()])
      db.close()
      return rows
    }
    const before = contents()
    for (const args of readOnly) await interstate([...args, '--store', path])
    expect(contents()).toEqual(before)
    expect(readdirSync(join(path, '..'))).toEqual(['shop.db'])
  })

  test('answers all the same as what a host left there', async () => {
    const store = await shopFile()
    const shards = await interstate(['shards', '--store', store, '--json'])
    expect(shards.json).toMatchObject({ store: 'sqlite', scope: 'store', shards: 16, isShared: false })
    expect(shards.json.rows.reduce((sum: number, { waiting }: { waiting: number }) => sum + waiting, 0)).toBe(2)
    const entity = await interstate(['entity', 'show', 'till/front', '--store', `sqlite:${store}`, '--json'])
    expect(entity.json).toMatchObject({ value: 'open', context: { cents: 500 } })
    const letters = await interstate(['dead-letters', 'list', '--json'], { env: { INTERSTATE_STORE: store } })
    expect(letters.json.deadLetters).toHaveLength(2)
    const [{ id }] = letters.json.deadLetters
    expect((await interstate(['dead-letters', 'requeue', id, '--store', store, '--json'])).json.requeued).toEqual([id])
    expect(
      (await interstate(['purge', '--before', '2026-01-02', '-y', '--store', store, '--json'])).json.forgotten,
    ).toBe(1)
  })

  test.each(readOnly)('that is not there is not made: %s %s', async (...args) => {
    const folder = temporaryFolder()
    const { err, exitCode } = await interstate([
      ...args.filter((arg) => arg !== undefined),
      '--store',
      join(folder, 'no.db'),
    ])
    expect(err).toMatch(/^STORE_MISSING: no store stands at .*no\.db; /)
    expect(exitCode).toBe(1)
    expect(readdirSync(folder)).toEqual([])
  })

  test('that is empty is not made a store', async () => {
    const path = join(temporaryFolder(), 'empty.db')
    writeFileSync(path, '')
    expect((await interstate(['hosts', '--store', path])).err).toMatch(/^STORE_MISSING: /)
    expect(readFileSync(path)).toHaveLength(0)
  })

  test.each([
    ['a text', (path: string) => writeFileSync(path, 'my diary')],
    ['a folder', (path: string) => mkdirSync(path)],
    ['a database of others', (path: string) => new DatabaseSync(path).exec('CREATE TABLE mine (a)')],
  ])('that is not ours is left alone: %s', async (_, make) => {
    const path = join(temporaryFolder(), 'theirs')
    make(path)
    const { err, exitCode } = await interstate(['hosts', '--store', path])
    expect(err).toMatch(/^STORE_FOREIGN: .*theirs is no store of ours; .*\n$/)
    expect(exitCode).toBe(1)
    expect(existsSync(`${path}-lock`)).toBe(false)
  })

  test('that a running host has open is told kindly', async () => {
    const path = await shopFile()
    await using _host = await createHost({
      ...{ entities, store: sqliteStore({ path }), policies: { analyse: false } },
      env: new VirtualEnv({ seed: 2, startMs: Date.UTC(2026, 0, 2) }),
    })
    const { err, exitCode } = await interstate(['dead-letters', 'list', '--store', path])
    expect(err).toMatch(/^STORE_IN_USE: .*shop\.db is open elsewhere; A running host owns the file\. Stop it first/)
    expect(exitCode).toBe(1)
  })

  test('of another number of shards is refused', async () => {
    const { err, exitCode } = await interstate(['hosts', '--store', await shopFile(), '--shards', '64'])
    expect(err).toMatch(/^STORE_UNFIT: .*16 shards/)
    expect(exitCode).toBe(1)
  })
})

describe('a url', () => {
  test.each([
    [['hosts'], /^USAGE: no store is given; give --store <url> or set INTERSTATE_STORE/],
    [['hosts', '--store', ''], /^USAGE: no store is given/],
    [['hosts', '--store', 'postgres://localhost/shop'], /^USAGE: "postgres:" is no kind of store/],
    [['hosts', '--store', ':memory:'], /^USAGE: ":memory:" names no file/],
    [['hosts', '--store', 'sqlite:'], /^USAGE: "sqlite:" names no file/],
    [['hosts', '--store', 'redis://'], /^USAGE: the url after redis: is malformed/],
    [['hosts', '--store', 'redis://:p@ss@host'], /^USAGE: the url after redis: is malformed/],
    [['hosts', '--store', 'redis://host:99999'], /^USAGE: the url after redis: is malformed/],
    [['hosts', '--store', 'redis://a,b'], /^USAGE: several hosts are a cluster/],
    [['hosts', '--store', 'redis-cluster://a,b/3'], /^USAGE: a Redis Cluster has database 0 alone/],
    [['hosts', '--store', 'redis://a', '--prefix', 'a{b}'], /^USAGE: "a{b}" is no prefix/],
    [['hosts', '--store', 'x.db', '--prefix', 'a'], /^USAGE: --prefix is for Redis/],
    [['hosts', '--store', 'x.db', '--shards', '0'], /^USAGE: option '--shards <number>' argument '0' is invalid/],
  ])('that makes no sense is refused in one line: %s', async (args, line) => {
    const { err, exitCode, out } = await interstate(args)
    expect(err).toMatch(line)
    expect(err.trimEnd()).not.toContain('\n')
    expect(err).not.toContain('p@ss')
    expect(exitCode).toBe(2)
    expect(out).toBe('')
  })
})

describe('a call', () => {
  test.each([
    [[], /^USAGE: a command is missing/],
    [['hots'], /^USAGE: unknown command 'hots' \(Did you mean hosts\?\)/],
    [['dead-letters'], /^USAGE: a command is missing/],
    [['dead-letters', 'lost'], /^USAGE: unknown command 'lost'/],
    [['entity', 'show'], /^USAGE: missing required argument 'type\/key'/],
    [['hosts', '--jsn'], /^USAGE: unknown option '--jsn'/],
    [['hosts', 'extra'], /^USAGE: too many arguments/],
    [['purge'], /^USAGE: required option '--before <date>' not specified/],
    [['dead-letters', 'list', '--limit', 'many'], /^USAGE: .*It must be a whole number from 1/],
  ])('that is wrong is told in one line: %s', async (args, line) => {
    const { err, exitCode, out } = await interstate(args)
    expect(err).toMatch(line)
    expect(err.trimEnd()).not.toContain('\n')
    expect(exitCode).toBe(2)
    expect(out).toBe('')
  })

  test('with --json ends in one document, whatever happens', async () => {
    const { json, err } = await interstate(['hosts', '--json', '--store', '/no/where.db'])
    expect(json).toEqual({
      error: { code: 'STORE_MISSING', what: expect.any(String), remedy: expect.any(String) },
    })
    expect(err).toMatch(/^STORE_MISSING: /)
    expect((await interstate(['hots', '--json'])).json.error.code).toBe('USAGE')
  })

  test.each([
    [],
    ['hosts'],
    ['shards'],
    ['shards', 'resume'],
    ['entity', 'show'],
    ['dead-letters', 'list'],
    ['dead-letters', 'show'],
    ['dead-letters', 'dry-run'],
    ['dead-letters', 'requeue'],
    ['purge'],
  ])('with --help teaches by examples: %s %s', async (...args) => {
    const { out, exitCode, err } = await interstate([...args.filter((arg) => arg !== undefined), '--help'])
    expect(out).toMatch(/Usage: interstate/)
    expect(out).toMatch(/Examples?:\n {2}(interstate|INTERSTATE)/)
    expect(out).toContain('--json')
    expect(err).toBe('')
    expect(exitCode).toBe(0)
  })

  test('with --version says it', async () => {
    expect((await interstate(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})

describe('the process', () => {
  const run = async (...args: string[]) => {
    const call = promisify(execFile)(process.execPath, ['--conditions=@interstate/source', main, ...args], {
      env: { ...process.env, FORCE_COLOR: '1', CI: 'true' },
    })
    return call.then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      (error: { code: number; stdout: string; stderr: string }) => error,
    )
  }

  test('prints, without colours where no terminal is, and ends', async () => {
    const store = await shopFile()
    const { code, stdout } = await run('dead-letters', 'list', '--store', store)
    expect(code).toBe(0)
    expect(stdout).toContain('no price for luck')
    expect(stdout).not.toContain('\u001b')
  })

  test('asks nobody where no terminal is', async () => {
    const { code, stderr, stdout } = await run('purge', '--before', '2026-01-02', '--store', await shopFile())
    expect(stderr).toMatch(/^NOT_CONFIRMED: nobody is at a terminal/)
    expect(stdout).toBe('')
    expect(code).toBe(1)
  })

  test('loads definitions from a module of the user', async () => {
    const store = await shopFile()
    const { stdout: list } = await run('dead-letters', 'list', '--store', store, '--json')
    const [{ id }] = JSON.parse(list).deadLetters
    const { code, stdout } = await run('dead-letters', 'dry-run', id, '--app', app, '--store', store, '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ succeeds: false, error: { code: 'MACHINE_FAILED' } })
  })

  test('says wrong usage by its exit code', async () => {
    expect(await run('hots')).toMatchObject({ code: 2, stderr: expect.stringMatching(/^USAGE: .*\n$/) })
  })

  test('reaches no server where none is, and says so within seconds', async () => {
    const { code, stderr } = await run('hosts', '--store', 'redis://:secret@127.0.0.1:1')
    expect(stderr).toMatch(/^STORE_FAILED: redis:\/\/127\.0\.0\.1:1 can't be reached: /)
    expect(stderr).not.toContain('secret')
    expect(code).toBe(1)
  })
})
