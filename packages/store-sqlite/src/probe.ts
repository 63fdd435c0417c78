// probe.ts: tests what the file promises, on the file itself (G18).
import type { DatabaseSync } from 'node:sqlite'
import type { Probe } from '@interstate/core'
import type { Durability } from './open.ts'

/** Asks and tries; a probe that fails says how to mend it. */
export function probeFile(
  database: DatabaseSync,
  durability: Durability,
  shards: number,
  wantedShards: number | undefined,
): readonly Probe[] {
  const pragma = (name: string): unknown => Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]
  const wantedSync = durability === 'full' ? 2 : 1
  return [
    probe(
      'write-ahead log',
      pragma('journal_mode') === 'wal',
      `journal_mode is ${pragma('journal_mode')}; a network or read-only file system can't keep a log.`,
    ),
    probe(
      'sync on commit',
      pragma('synchronous') === wantedSync,
      `synchronous is ${pragma('synchronous')}, not ${wantedSync}.`,
    ),
    probe('one owner', pragma('locking_mode') === 'exclusive', `locking_mode is ${pragma('locking_mode')}.`),
    probe('atomic rollback', rollsBack(database), 'A change that was rolled back is still there.'),
    probe(
      'same shards',
      wantedShards === undefined || wantedShards === shards,
      `The file has ${shards} shards, not ${wantedShards}; P is fixed when a store is created. Leave the option out.`,
    ),
  ]
}

function probe(name: string, passed: boolean, finding: string): Probe {
  return { name, passed, finding: passed ? 'as it should be' : finding }
}

/** Changes two rows in a transaction, a savepoint inside it, and takes both back. */
function rollsBack(database: DatabaseSync): boolean {
  const found = (): number =>
    Number(Object.values(database.prepare(`SELECT count(*) FROM meta WHERE name LIKE 'probe%'`).get() ?? {})[0])
  database.exec(`BEGIN IMMEDIATE; INSERT INTO meta VALUES ('probe 1', 1)`)
  database.exec(`SAVEPOINT probe; INSERT INTO meta VALUES ('probe 2', 2); ROLLBACK TO probe; RELEASE probe`)
  const inside = found()
  database.exec('ROLLBACK')
  return inside === 1 && found() === 0
}
