// index.ts: all scripts that write, by name, so that a test can put a broken one in the place of each.
import { accept } from './accept.ts'
import { acquire } from './acquire.ts'
import { commit } from './commit.ts'
import { deliver } from './deliver.ts'
import { purge } from './purge.ts'
import { rebase } from './rebase.ts'
import { release } from './release.ts'
import { requeue } from './requeue.ts'
import type { Script } from './script.ts'
import { survived } from './survived.ts'
import { sync } from './sync.ts'
import { trim } from './trim.ts'

/** See the file head. */
export interface Scripts {
  readonly accept: Script
  readonly acquire: Script
  readonly commit: Script
  readonly deliver: Script
  readonly purge: Script
  readonly rebase: Script
  readonly release: Script
  readonly requeue: Script
  readonly survived: Script
  readonly sync: Script
  readonly trim: Script
}

export const scripts: Scripts = {
  accept,
  acquire,
  commit,
  deliver,
  purge,
  rebase,
  release,
  requeue,
  survived,
  sync,
  trim,
}
