// probes.ts: whether the file really does what the guarantees rest on, tried out on the file itself (G18).
import { DatabaseSync } from 'node:sqlite'
import type { Probe } from '@interstate/core'
import type { Connection } from './connection.ts'
import { resultCode } from './failure.ts'
import type { Durability } from './file.ts'

/** STRICT, RETURNING and json_each without an extension. */
const oldestVersion = [3, 38]

/** See the file head. */
export function probeFile(connection: Connection, path: string, durability: Durability): readonly Probe[] {
  return connection.read(() => [
    versionProbe(connection.db),
    journalProbe(connection.db),
    syncProbe(connection.db, durability),
    atomicityProbe(connection.db),
    conditionProbe(connection.db),
    ownershipProbe(path),
  ])
}

function versionProbe(db: DatabaseSync): Probe {
  const version = String(db.prepare('SELECT sqlite_version() AS version').get()?.version)
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const passed = major > (oldestVersion[0] ?? 0) || (major === oldestVersion[0] && minor >= (oldestVersion[1] ?? 0))
  const finding = `SQLite ${version}; ${oldestVersion.join('.')} or later is needed, which every Node.js 22 brings.`
  return { name: 'sqlite version', passed, finding }
}

function journalProbe(db: DatabaseSync): Probe {
  const mode = db.prepare('PRAGMA journal_mode').get()?.journal_mode
  const finding = `The journal mode is ${mode}. It must be wal, which some network file systems cannot: use a local disk.`
  return { name: 'write-ahead log', passed: mode === 'wal', finding }
}

function syncProbe(db: DatabaseSync, durability: Durability): Probe {
  const level = Number(db.prepare('PRAGMA synchronous').get()?.synchronous)
  const needed = durability === 'full' ? 2 : 1
  const finding = `synchronous is ${level}; durability '${durability}' needs ${needed} or more.`
  return { name: 'synchronous writes', passed: level >= needed, finding }
}

const trial = `INSERT INTO entity (name, shard, version, tag, unsettled) VALUES ('', 0, 1, '', 0)`

function atomicityProbe(db: DatabaseSync): Probe {
  const count = db.prepare(`SELECT count(*) AS found FROM entity WHERE name = ''`)
  const found = (): number => Number(count.get()?.found)
  db.exec('BEGIN IMMEDIATE')
  let inside = 0
  try {
    db.exec(`SAVEPOINT trial; ${trial}; ROLLBACK TO trial`)
    const undone = found()
    db.exec(`${trial}; RELEASE trial`)
    inside = undone === 0 ? found() : 0
  } finally {
    db.exec('ROLLBACK')
  }
  const passed = inside === 1 && found() === 0
  const finding = passed ? 'A trial transaction and a trial savepoint were undone.' : 'What was undone is still there.'
  return { name: 'atomic transactions', passed, finding }
}

function conditionProbe(db: DatabaseSync): Probe {
  const replace = db.prepare(`UPDATE entity SET version = version + 1 WHERE name = '' AND version = ?`)
  db.exec('BEGIN IMMEDIATE')
  try {
    db.exec(trial)
    const passed = replace.run(2).changes === 0 && replace.run(1).changes === 1 && replace.run(1).changes === 0
    return {
      name: 'conditional writes',
      passed,
      finding: `A trial write on the wrong version was ${passed ? '' : 'not '}refused.`,
    }
  } finally {
    db.exec('ROLLBACK')
  }
}

function ownershipProbe(path: string): Probe {
  const name = 'exclusive ownership'
  const intruder = new DatabaseSync(path)
  try {
    intruder.exec('BEGIN IMMEDIATE')
    return {
      name,
      passed: false,
      finding: 'A second connection could write. The file system does not lock: use a local disk.',
    }
  } catch (error) {
    const passed = resultCode(error) === 5
    return {
      name,
      passed,
      finding: `A second connection was refused: ${error instanceof Error ? error.message : error}.`,
    }
  } finally {
    intruder.close()
  }
}
