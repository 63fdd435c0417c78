// A process that is killed with SIGKILL at random, again and again. The system in it: system.ts.
// What a kill can't show is the loss of power: the kernel keeps what a dead process has written. That every acknowledgement
// comes after a sync is looked at in syscalls.test.ts.
import { rmSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Chance } from './chance.ts'
import { newFiles } from './files.ts'
import { killAndKill, repeatAll } from './lives.ts'
import { nothingAmiss, outcomeOf } from './outcome.ts'

const isLong = process.env.INTERSTATE_CRASH === 'long'
const seed = Number(process.env.INTERSTATE_CRASH_SEED ?? Math.floor(Math.random() * 1e6))
// Two stories at the same time: most of a life is waiting for a process to start.
const stories = [seed, seed + 1]
const kills = (isLong ? 10_000 : 200) / stories.length
const hands = (isLong ? 1_000_000 : 20_000) / stories.length

describe.concurrent(`a system that is killed ${stories.length * kills} times`, () => {
  test.for(stories)(
    'G1, G2, G6, G9, G10: has handled each message once and in order, and its carrier heard of each errand once',
    { timeout: isLong ? 8 * 3_600_000 : 300_000 },
    // Of the context: among tests that run at once the global one may take the other's end for this one's.
    async (seed, { onTestFinished }) => {
      const files = newFiles()
      onTestFinished(({ task }) => {
        if (task.result?.state === 'fail') console.error(`[crash] seed ${seed}: the files are in ${files.folder}`)
        else rmSync(files.folder, { recursive: true, force: true })
      })
      const plan = { files, chance: new Chance(seed), kills, hands }
      const begin = performance.now()
      const toll = await killAndKill(plan)
      const seconds = Math.round((performance.now() - begin) / 1_000)
      console.log(`[crash] seed ${seed}: ${hands} messages from outside, ${seconds} s, ${JSON.stringify(toll)}`)
      expect(await outcomeOf(files, hands), `INTERSTATE_CRASH_SEED=${seed}`).toEqual(nothingAmiss)
      expect(toll.kills).toBe(kills)
      expect(toll.working + toll.recovering).toBeGreaterThan(kills / 2)
      await repeatAll(plan)
      expect(await outcomeOf(files, hands), `INTERSTATE_CRASH_SEED=${seed}, sent again`).toEqual(nothingAmiss)
    },
  )
})
