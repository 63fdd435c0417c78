// other-process.ts: a process of its own that does one thing to a store file and says how it went.

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { partitionsOf } from '@interstate/core'
import { sqliteStore } from '../src/index.ts'
import { commit, group, leasesOf, message, order, refusal } from './hand.ts'

type Deed = 'open' | 'write until killed' | 'write until refused'

const command = (deed: Deed, path: string): readonly string[] => {
  return ['--conditions=@interstate/source', import.meta.filename, deed, path]
}

/** Opens the file in another process. Gives the code with which that is refused, or `not refused`. */
export function openElsewhere(path: string): string {
  const { stdout, stderr } = spawnSync(process.execPath, command('open', path), { encoding: 'utf8' })
  return stdout.trim() || stderr
}

/** Writes in another process until `groups` are acknowledged, then kills it with SIGKILL. Gives how many were. */
export async function writeElsewhereAndKill(path: string, groups: number): Promise<number> {
  const child = spawn(process.execPath, command('write until killed', path), { stdio: ['ignore', 'pipe', 'inherit'] })
  let acknowledged = 0
  for await (const chunk of child.stdout) {
    acknowledged += String(chunk).split('\n').length - 1
    if (acknowledged >= groups) child.kill('SIGKILL')
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return acknowledged
}

/** Writes in another process for which files may not grow beyond `kibibytes`. Gives what it said, line by line. */
export function writeElsewhereWithin(path: string, kibibytes: number): readonly string[] {
  // The operating system refuses the write that goes beyond, which SQLite takes for a failing disk.
  const script = `ulimit -f ${kibibytes * 2}; exec "$0" "$@"`
  const args = ['-c', script, process.execPath, ...command('write until refused', path)]
  return spawnSync('sh', args, { encoding: 'utf8' }).stdout.trim().split('\n')
}

async function writeUntilRefused(path: string): Promise<void> {
  const store = sqliteStore({ path })
  const leases = await leasesOf(store)
  const snapshot = 'x'.repeat(10_000)
  for (let count = 0; count < 1_000; count += 1) {
    const said = await refusal(store.write(group({ commits: [commit(leases, order(count), { snapshot })] })))
    console.log(said)
    if (said !== 'not refused') break
  }
  console.log(await refusal(store.load(partitionsOf([order(0)], store.shards))))
  console.log(await refusal(store.close()))
}

async function writeUntilKilled(path: string): Promise<void> {
  const store = sqliteStore({ path })
  const leases = await leasesOf(store)
  for (let count = 0; ; count += 1) {
    const outbox = [message(count, order('receiver'))]
    await store.write(group({ commits: [commit(leases, order(count), { outbox, snapshot: `${count}` })] }))
    process.stdout.write('written\n')
    // Lets the pipe drain, so that what was said is what was acknowledged.
    await new Promise((resolve) => setImmediate(resolve))
  }
}

const [, started, deed, path = ''] = process.argv
if (started === import.meta.filename) {
  if (deed === 'open') console.log(await refusal(sqliteStore({ path }).probe()))
  else if (deed === 'write until killed') await writeUntilKilled(path)
  else await writeUntilRefused(path)
}
