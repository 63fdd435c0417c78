import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

test('the counter counts its runs: what one process added, the next one finds', async () => {
  const cwd = await mkdtemp(join(tmpdir(), 'counter-test-'))
  const run = async () => {
    const main = join(import.meta.dirname, '../src/main.ts')
    return (await promisify(execFile)(process.execPath, ['--conditions=@interstate/source', main], { cwd })).stdout
  }
  expect(await run()).toBe('1\n')
  expect(await run()).toBe('2\n')
  await rm(cwd, { recursive: true })
})
