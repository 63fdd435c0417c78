// A disk that fails a sync, and one that is full. A disk that only says that it has synced is beyond any test of ours.
import { rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { smallDisk, strace as tracing } from '../tools.ts'
import { type Life, live } from './client.ts'
import { type Files, filesIn, newFiles } from './files.ts'
import { type End, Living, liveToTheEnd } from './life.ts'
import { describeWith } from './needing.ts'
import { readNotes } from './notes.ts'
import { nothingAmiss, outcomeOf } from './outcome.ts'
import { atEachPoint } from './points.ts'
import { SmallDisk } from './small-disk.ts'
import { type Call, callsOf, type Mishap, type Point, strace } from './strace.ts'

describeWith(tracing, 'a sync that fails', () => {
  test('G8, G15: ends the process with a clear error; nothing is acknowledged after it, and nothing before it is lost', {
    timeout: 120_000,
  }, async () => {
    const statuses = new Set<End['how']>()
    const syncsOfFolder: End['how'][] = []
    const points = await atEachPoint('fsync', async (at) => {
      const { end, mishap, after, folder } = await runInto('EIO', at)
      if (mishap === undefined) return 'not reached'
      // SQLite syncs the folder of a new file and keeps a failure to itself; the store syncs it once more.
      if (mishap.text.includes(`<${folder}>`)) syncsOfFolder.push(end.how)
      if (mishap.text.includes(`<${folder}>`) && end.how === 0) return 'reached'
      expect(end.stderr, mishap.text).toContain('[STORE_FENCED]')
      expect(end.how, mishap.text).not.toBe(0)
      expect(after.filter(isPromise), mishap.text).toEqual([])
      statuses.add(end.how)
      return 'reached'
    })
    console.log(`[crash] ${points} failed syncs, ${syncsOfFolder.length} of the folder`)
    expect(points).toBeGreaterThan(20)
    // EX_IOERR from a host that ran; 1 from one that could not even start, or not stop.
    expect(statuses).toEqual(new Set([1, 74]))
    expect(syncsOfFolder).toContain(1)
  })
})

describeWith(tracing, 'a write for which there is no room', () => {
  test('G16: is taken back, and the process goes on once there is room', { timeout: 120_000 }, async () => {
    let refused = 0
    const points = await atEachPoint(
      'pwrite64',
      async (at) => {
        const { end, mishap } = await runInto('ENOSPC', at)
        if (mishap === undefined) return 'not reached'
        if (end.how !== 0) expect(end.stderr, mishap.text).toContain('[STORE_FULL]')
        // Only where it opens or gives back its store a process may end by it: there nobody could try again.
        if (end.how !== 0) expect([undefined, 'sent'], mishap.text).toContain(end.said.at(-1))
        if (end.said.includes('refused STORE_FULL')) refused += 1
        return 'reached'
      },
      { every: 4 },
    )
    console.log(`[crash] ${points} writes without room, ${refused} of which a client heard`)
    expect(refused).toBeGreaterThan(5)
  })
})

describeWith(smallDisk, 'a disk that is full', () => {
  test('G16: sends are refused, and the same host goes on as soon as there is room', { timeout: 120_000 }, async () => {
    const many = 4_000
    await using scene = await SmallScene.of(64)
    const { disk, files } = scene
    disk.fill(2 << 20)
    let refusals = 0
    const { ended } = new Living(
      lifeOn(files, many),
      (line) => {
        if (line !== 'refused STORE_FULL') return
        refusals += 1
        if (refusals === 50) disk.free()
      },
      disk.under,
    )
    const { how, said, stderr } = await ended
    expect(how, stderr).toBe(0)
    expect(said).toContain('failed STORE_FULL')
    expect(refusals).toBeGreaterThanOrEqual(50)
    scene.copyOut()
    expect(await outcomeOf(scene.copied, many)).toEqual(nothingAmiss)
  })

  test('G1, G2: a host that is killed on it, and the one that is started on it, lose nothing', {
    timeout: 120_000,
  }, async () => {
    const many = 4_000
    await using scene = await SmallScene.of(64)
    const { disk, files } = scene
    const killWhenFull = (line: string, living: Living): void => {
      if (line === 'refused STORE_FULL') living.signal('SIGKILL')
    }
    disk.fill(2 << 20)
    const first = await new Living(lifeOn(files, many), killWhenFull, disk.under).ended
    expect(first.how, first.stderr).toBe('SIGKILL')
    disk.fill(0)
    const next = { ...lifeOn(files, many), name: 'second-life' }
    const second = await new Living(next, killWhenFull, disk.under).ended
    // To start, a host has to write down that it owns the store. There may be just enough room for that.
    if (second.how !== 'SIGKILL')
      expect([second.how, second.stderr]).toEqual([1, expect.stringContaining('[STORE_FULL]')])
    disk.free()
    scene.copyOut()
    expect(readNotes(files).hands.size).toBeGreaterThan(0)
    await liveOn(scene.copied, many)
    expect(await outcomeOf(scene.copied, many)).toEqual(nothingAmiss)
  })
})

const hands = 20

function lifeOn(files: Files, count = hands): Life {
  const sends = Array.from({ length: count }, (_, n) => n)
  return { files, name: 'life', sends, repeats: [], atOnce: 5, finish: count }
}

/** The next process, on a healthy disk. What was acknowledged must be known to it. */
async function liveOn(files: Files, count = hands): Promise<void> {
  const repeats = [...readNotes(files).hands.keys()]
  await live({ ...lifeOn(files, count), name: 'next-life', repeats }, () => {})
}

interface Run {
  readonly folder: string
  readonly end: End
  /** The call that failed, if the run came to it. */
  readonly mishap: Call | undefined
  readonly after: readonly Call[]
}

/** Lets a call of a process fail, once, and sees that the next one has lost nothing. */
async function runInto(what: Mishap, at: Point): Promise<Run> {
  const files = newFiles()
  const log = join(files.folder, 'log')
  const end = await liveToTheEnd(lifeOn(files), strace(files, log, { what, at }))
  const calls = callsOf(log)
  const index = calls.findIndex(({ text }) => text.includes('(INJECTED)'))
  await liveOn(files)
  expect(await outcomeOf(files, hands), `${what} at ${at.call} ${at.n}, see ${files.folder}`).toEqual(nothingAmiss)
  rmSync(files.folder, { recursive: true })
  return { folder: files.folder, end, mishap: calls[index], after: index < 0 ? [] : calls.slice(index + 1) }
}

/** An acknowledgement that reached a client, or an effect that reached the outside. */
function isPromise({ call, text }: Call): boolean {
  return call === 'write' && /<[^<>]*\/(notes|ledger)>/.test(text)
}

/** A store on a small disk; what clients and the carrier know is elsewhere. */
class SmallScene implements AsyncDisposable {
  readonly disk: SmallDisk
  readonly files: Files
  readonly copied: Files

  private constructor(disk: SmallDisk, { folder }: Files) {
    this.disk = disk
    this.files = filesIn(folder, disk.path)
    this.copied = filesIn(folder)
  }

  static async of(megabytes: number): Promise<SmallScene> {
    return new SmallScene(await SmallDisk.of(megabytes), newFiles())
  }

  copyOut(): void {
    this.disk.copyTo(dirname(this.copied.store))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.disk[Symbol.dispose]()
    rmSync(this.copied.folder, { recursive: true, force: true })
  }
}
