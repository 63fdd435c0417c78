// A process that is killed at every single system call that changes a file: before the n-th write, sync, rename and so on.
// What a loss of power leaves of writes that were never synced can't be seen here: the kernel keeps what a dead process has
// written. So the order of writes, syncs and acknowledgements is looked at as well.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { strace as tracing } from '../tools.ts'
import { type Life, live } from './client.ts'
import { type Files, newFiles } from './files.ts'
import { type End, liveToTheEnd } from './life.ts'
import { describeWith } from './needing.ts'
import { readNotes } from './notes.ts'
import { nothingAmiss, outcomeOf } from './outcome.ts'
import { atEachPoint, type Reached } from './points.ts'
import { type Call, callsOf, changingCalls, type Point, strace } from './strace.ts'

describeWith(tracing, 'a process that sends 20 messages', () => {
  test('G1, G2, G3, G6, G10: killed before any of its writes and syncs, has lost nothing and doubled nothing', {
    timeout: 300_000,
  }, async () => {
    const { calls } = await traced()
    const reached: Record<string, number> = {}
    for (const call of changingCalls) {
      if (calls.some((each) => each.call === call)) reached[call] = await atEachPoint(call, killedAt)
    }
    const points = Object.values(reached).reduce((sum, count) => sum + count, 0)
    console.log(`[crash] killed at ${points} system calls: ${JSON.stringify(reached)}`)
    // Of its own accord every run takes a little different time, so groups and their writes differ by a few.
    expect(points).toBeGreaterThan(calls.length / 2)
    expect(points).toBeGreaterThan(100)
  })

  test('G8: acknowledges, and lets effects out, only after a sync of all that it has written', async () => {
    const { calls, files } = await traced()
    const unsynced = new Set<string>()
    let promises = 0
    for (const { call, text } of calls) {
      const file = /<([^<>]*)>/.exec(text)?.[1] ?? ''
      if (call.startsWith('pwrite')) unsynced.add(file)
      if (call === 'fsync' || call === 'fdatasync') unsynced.delete(file)
      if (call !== 'write' || ![files.notes, files.ledger].includes(file)) continue
      promises += 1
      expect([...unsynced], text).toEqual([])
    }
    // Of 20 messages with and 4 without a key; and 5 errands, of which some are recalled.
    expect(promises).toBeGreaterThanOrEqual(24)
  })
})

const hands = 20

function lifeOn(files: Files): Life {
  const sends = Array.from({ length: hands }, (_, n) => n)
  return { files, name: 'life', sends, repeats: [], atOnce: 5, finish: hands }
}

/** The system calls of a life that nothing happens to. */
async function traced(): Promise<{ readonly files: Files; readonly calls: readonly Call[] }> {
  const files = newFiles()
  onTestFinished(() => rmSync(files.folder, { recursive: true, force: true }))
  const log = join(files.folder, 'log')
  const { how, stderr } = await liveToTheEnd(lifeOn(files), strace(files, log))
  expect(how, stderr).toBe(0)
  return { files, calls: callsOf(log) }
}

/** Kills a life at a point, and sees that the next one knows and has all that was acknowledged. */
async function killedAt(at: Point): Promise<Reached> {
  const files = newFiles()
  const command = strace(files, join(files.folder, 'log'), { what: 'SIGKILL', at })
  const { how, stderr } = await liveToTheEnd(lifeOn(files), command)
  expect<End['how'][]>(['SIGKILL', 0], stderr).toContain(how)
  const repeats = [...readNotes(files).hands.keys()]
  await live({ ...lifeOn(files), name: 'next-life', repeats }, () => {})
  expect(await outcomeOf(files, hands), `killed at ${at.call} ${at.n}, see ${files.folder}`).toEqual(nothingAmiss)
  rmSync(files.folder, { recursive: true })
  return how === 0 ? 'not reached' : 'reached'
}
