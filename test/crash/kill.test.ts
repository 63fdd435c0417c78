// A process on a file that is killed with SIGKILL at random, again and again. The system in it: system.ts.
// What a kill can't show is the loss of power: the kernel keeps what a dead process has written. That every acknowledgement
// comes after a sync is looked at in syscalls.test.ts.
import { filesIn } from './files.ts'
import { describeKills } from './kills.ts'

const least = { atWork: 1 / 2, atFullSpeed: 1 / 10 }
const scale =
  process.env.INTERSTATE_CRASH === 'long'
    ? { stories: 2, kills: 10_000, hands: 1_000_000, timeout: 8 * 3_600_000, least }
    : { stories: 2, kills: 200, hands: 20_000, timeout: 300_000, least }

describeKills('a system on a file', scale, async (folder) => ({
  store: filesIn(folder).store,
  stop: async () => undefined,
}))
