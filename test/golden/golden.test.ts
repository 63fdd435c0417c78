// Files of former versions: whatever this version is, it opens them, and goes on with what was left to do in them.
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { EntityId, MessageId } from '@interstate/core'
import { createHost } from '@interstate/runtime'
import { sqliteStore } from '@interstate/store-sqlite'
import { VirtualEnv } from '@interstate/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { dump } from './dump.ts'
import { Account, systemWith } from './system.ts'
import { keys, writeGolden, writtenAt } from './write.ts'

const here = import.meta.dirname
const day = 86_400_000
const golden = readdirSync(here).filter((name) => name.endsWith('.db'))
const latest = join(here, `store-v${golden.length}.db`)

describe.each(golden)('%s', (name) => {
  test('everything in it can be read', async () => {
    const { host, account, journal, sieve, thanks } = await open(name)
    expect(await host.read(account.at('rich'))).toMatchObject({ context: { cents: 1_500 }, value: 'frozen' })
    expect(await host.read(account.at('poor', { tenant: 'north' }))).toMatchObject({ context: { cents: 10 } })
    expect(await host.read(account.at('Zoë & söhne'))).toMatchObject({ context: { cents: 7, notes: ['“ß∂ 💰”'] } })
    expect(await host.read(account.at('gone'))).toMatchObject({ status: 'done', output: { cents: 5 }, value: 'closed' })
    expect(await host.read(thanks.at('rich'))).toMatchObject({ context: { account: 'rich' }, value: 'writing' })
    expect(await host.read(sieve.at('fine'))).toMatchObject({ context: { passed: ['joy'] } })
    expect(await host.read(journal.at('parked'))).toMatchObject({
      context: { entries: ['joy'] },
      parked: expect.any(String),
    })
    expect(await host.read(journal.at('waiting'))).toBeUndefined()
  })

  test('messages that waited in it are handled in their order, and the failed one is tried again', async () => {
    const { env, host, account, journal } = await open(name)
    await env.advance(1_000)
    expect(await host.read(account.at('rich'))).toMatchObject({
      context: { cents: 1_520, notes: ['late'] },
      value: { open: 'rich' },
    })
    expect(await host.read(journal.at('waiting'))).toMatchObject({ context: { entries: ['a little sorrow'] } })
  })

  test('effects that ran in it run again, under the keys that they had', async () => {
    const { env, host, thanks, letters, file } = await open(name)
    await env.advance(1_000)
    expect(new Map(letters)).toEqual(effectsIn(file))
    expect(letters).toHaveLength(4)
    const letter = letters.find(([account]) => account === 'rich')?.[1]
    expect(await host.read(thanks.at('rich'))).toMatchObject({ context: { letter }, value: 'waiting' })
  })

  test('timers and delayed messages that were set in it come due', async () => {
    const { env, host, account, thanks } = await open(name)
    await env.advance(1_000)
    await env.advance(7 * day)
    expect(await host.read(account.at('poor', { tenant: 'north' }))).toMatchObject({ context: { notes: ['a gift'] } })
    expect(await host.read(thanks.at('Zoë & söhne'))).toMatchObject({ status: 'active' })
    await env.advance(8 * day)
    expect(await host.read(thanks.at('Zoë & söhne'))).toMatchObject({ status: 'done', value: 'over' })
  })

  test('its parked entity goes on, its dead letter is requeued', async () => {
    const { env, host, journal, sieve } = await open(name)
    expect(await host.parked.list()).toMatchObject([{ entity: 'journal/parked', code: 'MACHINE_FAILED', attempts: 2 }])
    await host.parked.unpark('journal/parked' as EntityId, 'retry')
    const [letter, ...more] = await host.deadLetters.list()
    expect(more).toEqual([])
    expect(letter).toMatchObject({
      entity: 'sieve/fine',
      code: 'MACHINE_FAILED',
      message: { data: { text: 'sorrow' } },
    })
    await host.deadLetters.requeue(letter?.id as MessageId)
    await env.advance(1_000)
    expect(await host.read(journal.at('parked'))).toMatchObject({ context: { entries: ['joy', 'sorrow', 'hope'] } })
    expect(await host.read(sieve.at('fine'))).toMatchObject({ context: { passed: ['joy', 'sorrow'] } })
  })

  test('G10: its idempotency keys are known, with their answers', async () => {
    const { host, sieve } = await open(name)
    const ask = (cents: number, idempotencyKey: (typeof keys)['answered']) =>
      host.ask(Account.at('rich'), { type: 'Deposit', cents }, { idempotencyKey })
    expect(await ask(1_500, keys.answered)).toEqual({ type: 'Balance', cents: 1_500 })
    await expect(ask(1_501, keys.answered)).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' })
    await expect(ask(1, keys.refused)).rejects.toMatchObject({ code: 'MESSAGE_REFUSED' })
    await expect(ask(5, keys.purged)).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_EXPIRED' })
    const options = { idempotencyKey: keys.deadLettered }
    await expect(host.ask(sieve.at('fine'), { type: 'Pass', text: 'sorrow' }, options)).rejects.toMatchObject({
      code: 'MESSAGE_DEAD_LETTERED',
    })
  })
})

test('what this version writes is what its golden file holds', async () => {
  const path = join(temporary(), 'fresh.db')
  await writeGolden(path)
  const remedy = `What is stored has changed. Older files must still open: keep ${latest}, and write the next one (write.ts).`
  expect(dump(path), remedy).toEqual(dump(latest))
})

async function open(name: string) {
  const file = join(temporary(), name)
  copyFileSync(join(here, name), file)
  const env = new VirtualEnv({ seed: 2, startMs: writtenAt + 60_000 })
  const letters: [account: string, key: string][] = []
  const send = async (account: string, key: string): Promise<string> => {
    letters.push([account, key])
    return key
  }
  const system = systemWith({ bears: () => true, post: { send } })
  const host = await createHost({ entities: system.entities, store: sqliteStore({ path: file }), env })
  onTestFinished(() => host.stop())
  return { ...system, host, env, letters, file: join(here, name) }
}

/** Accounts that are thanked, and the keys of the letters to them, as the file has them. */
function effectsIn(path: string): ReadonlyMap<string, string> {
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    const rows = db.prepare(`SELECT snapshot FROM entity WHERE name LIKE '%thanks/%'`).all()
    return new Map(rows.map(({ snapshot }) => effectOf(JSON.parse(String(snapshot).slice(12)))))
  } finally {
    db.close()
  }
}

function effectOf({ context, running }: { context: { account: string }; running: Record<string, { key: string }> }) {
  return [context.account, Object.values(running)[0]?.key ?? ''] as const
}

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'interstate-golden-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
