// kills.ts: the crash test: a system that is killed with SIGKILL at random, again and again, on whatever stores it.
import { rmSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Chance } from './chance.ts'
import { newFiles } from './files.ts'
import { killAndKill, type Mortal, repeatAll } from './lives.ts'
import { nothingAmiss, outcomeOf } from './outcome.ts'

const seed = Number(process.env.INTERSTATE_CRASH_SEED ?? Math.floor(Math.random() * 1e6))

/** What the processes of one story stand on. */
export interface Ground {
  /** Where the store is, see stores.ts. */
  readonly store: string
  /** Dies with each process. */
  readonly server?: Mortal
  readonly stop: () => Promise<void>
}

/** How much is done, by all stories together. */
export interface Scale {
  readonly stories: number
  readonly kills: number
  /** Messages from outside. */
  readonly hands: number
  readonly timeout: number
  /** The part of the kills that must fall on work, recovery included, and on a host at full speed. Few kills prove little. */
  readonly least: { readonly atWork: number; readonly atFullSpeed: number }
}

/** Stories of kills at the same time, each on a ground of its own: most of a life is waiting for a process to start. */
export function describeKills(
  name: string,
  { stories, kills, hands, timeout, least }: Scale,
  groundIn: (folder: string) => Promise<Ground>,
): void {
  const each = { kills: kills / stories, hands: hands / stories }
  describe.concurrent(`${name} that is killed ${kills} times`, () => {
    test.for(Array.from({ length: stories }, (_, story) => seed + story))(
      'G1, G2, G6, G9, G10: has handled each message once and in order, and its carrier heard of each errand once',
      { timeout },
      // Of the context: among tests that run at once the global one may take the other's end for this one's.
      async (seed, { onTestFinished }) => {
        const fresh = newFiles()
        const { store, server, stop } = await groundIn(fresh.folder)
        const files = { ...fresh, store }
        onTestFinished(async ({ task }) => {
          await stop()
          if (task.result?.state === 'fail') console.error(`[crash] seed ${seed}: the files are in ${files.folder}`)
          else rmSync(files.folder, { recursive: true, force: true })
        })
        const plan = { files, server, chance: new Chance(seed), ...each }
        const begin = performance.now()
        const toll = await killAndKill(plan)
        const seconds = Math.round((performance.now() - begin) / 1_000)
        console.log(`[crash] ${name}, seed ${seed}: ${each.hands} messages, ${seconds} s, ${JSON.stringify(toll)}`)
        expect(await outcomeOf(files, each.hands), `INTERSTATE_CRASH_SEED=${seed}`).toEqual(nothingAmiss)
        expect(toll.kills).toBe(each.kills)
        expect(toll.working + toll.recovering).toBeGreaterThan(each.kills * least.atWork)
        expect(toll.working).toBeGreaterThanOrEqual(each.kills * least.atFullSpeed)
        await repeatAll(plan)
        expect(await outcomeOf(files, each.hands), `INTERSTATE_CRASH_SEED=${seed}, sent again`).toEqual(nothingAmiss)
      },
    )
  })
}
