// temporary.ts: a folder that is gone when the test run ends.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'interstate-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let files = 0

/** The path of a file that does not exist yet, in a folder of its own. */
export function temporaryFile(): string {
  files += 1
  return join(mkdtempSync(join(folder, `${files}-`)), 'store.db')
}
