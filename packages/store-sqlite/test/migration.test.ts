import { readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { migrate } from '../src/file.ts'
import { temporaryFile } from './temporary.ts'

const first = 'CREATE TABLE letters (letter TEXT)'
const second = "INSERT INTO letters VALUES ('a'); ALTER TABLE letters ADD COLUMN sent INTEGER"

let path = ''
let db: DatabaseSync

beforeEach(() => {
  path = temporaryFile()
  db = new DatabaseSync(path)
})
afterEach(() => db.close())

/** The version as the header has it, on the disk. */
function versionOnDisk(): number {
  return readFileSync(path).readUInt32BE(60)
}

test('a file takes the steps that it lacks, and no step twice', () => {
  migrate(db, [first])
  migrate(db, [first, second])
  migrate(db, [first, second])
  expect({ ...db.prepare('SELECT * FROM letters').get() }).toEqual({ letter: 'a', sent: null })
})

test('a step that fails leaves the file at the version where it was, with none of the steps', () => {
  migrate(db, [first])
  expect(() => migrate(db, [first, second, 'CREATE TABLE nonsense'])).toThrow()
  db.close()
  db = new DatabaseSync(path)
  expect(db.prepare('SELECT * FROM letters').all()).toEqual([])
  expect(db.prepare('PRAGMA user_version').get()?.user_version).toBe(1)
})

test('the header tells the version at once, not only when the log is moved into the file', () => {
  db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA wal_autocheckpoint = 0')
  migrate(db, [first])
  expect(versionOnDisk()).toBe(1)
  db.exec('PRAGMA journal_mode = WAL')
  db.exec("INSERT INTO letters VALUES ('b')")
  migrate(db, [first, second])
  expect(versionOnDisk()).toBe(2)
})
