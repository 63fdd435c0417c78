// schema.ts: the tables of a store file, and how an older file becomes a newer one. A persisted format.
import type { DatabaseSync } from 'node:sqlite'

/** `Istt`: marks a file as ours, in its header. */
export const applicationId = 0x49737474

/**
 * The steps from an empty file to the present form, in order; `PRAGMA user_version` counts those taken. A step that was
 * released never changes.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
  -- One row an entity. Wide rows: with a rowid the tree of names stays small.
  CREATE TABLE entities (
    id TEXT NOT NULL PRIMARY KEY,
    shard INTEGER NOT NULL,
    version INTEGER NOT NULL,
    tag TEXT NOT NULL,
    snapshot TEXT,
    trouble TEXT,
    wake_at INTEGER,
    unsettled INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX entities_due ON entities (wake_at) WHERE wake_at IS NOT NULL;
  CREATE INDEX entities_unsettled ON entities (id) WHERE unsettled = 1;
  -- A message that was sent and one that waits are the same row.
  CREATE TABLE inbox (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    entity TEXT NOT NULL,
    shard INTEGER NOT NULL,
    body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX inbox_entity ON inbox (entity, position);
  CREATE TABLE keys (
    key TEXT NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    message TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    reply TEXT
  ) STRICT;
  CREATE INDEX keys_at ON keys (at);
  CREATE TABLE dead_letters (
    id TEXT NOT NULL PRIMARY KEY,
    entity TEXT NOT NULL,
    shard INTEGER NOT NULL,
    body TEXT NOT NULL,
    reason TEXT NOT NULL
  ) STRICT;
  CREATE TABLE epochs (shard INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, owner TEXT NOT NULL) STRICT;
  `,
]

/** Takes the steps that a file lacks, in one transaction. */
export function migrate(database: DatabaseSync, from: number): void {
  if (from === migrations.length) return
  database.exec('BEGIN IMMEDIATE')
  for (const step of migrations.slice(from)) database.exec(step)
  // Both are in the file's header and cannot be bound as parameters.
  database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${migrations.length}; COMMIT`)
}
