// chaos.ts: runs the shop in a process of its own, kills that with SIGKILL again and again, and looks what is left.
import { fork } from 'node:child_process'
import { setTimeout } from 'node:timers/promises'
import { audit } from './audit.ts'
import type { ChaosLife, ChaosNews } from './chaos-host.ts'
import type { Order } from './orders.ts'
import type { Progress } from './progress.ts'
import type { Findings } from './report.ts'
import { openShop } from './shop.ts'
import { type ShopFiles, shopIn } from './shop-files.ts'

/** Options of {@link runChaos}. */
export interface ChaosOptions {
  readonly files: ShopFiles
  /** Every order in the order book is sent twice by each host that lives. */
  readonly book: ReadonlyMap<string, Order>
  readonly kills: number
  readonly progress: Progress
}

// Measured: an order takes about so many messages. Kills are spread over the first part of the work, so that each finds some.
const messagesPerOrder = 10
const workUnderKills = 0.7
/** A kill comes up to so much later than planned: in the midst of a write, of an effect, of an answer. */
const jitterMs = 15

/** Runs the shop under kills until each order has come to its end. */
export async function runChaos(options: ChaosOptions): Promise<Pick<Findings, 'audit' | 'work'>> {
  const { files, book, kills, progress } = options
  const begin = performance.now()
  const toll = { messages: 0, duplicatesRefused: 0, kills: 0, killsAtWork: 0 }
  let ended = 0
  const tell = (news: ChaosNews): void => progress.at(ended + news.ended, `${toll.kills} of ${kills} kills`)
  const share = (book.size * messagesPerOrder * workUnderKills) / kills
  for (;;) {
    const { last, killed } = await live(files, fateOf(kills - toll.kills, share), tell)
    ended += last.ended
    toll.messages += last.messages
    toll.duplicatesRefused += last.duplicates
    toll.kills += killed ? 1 : 0
    toll.killsAtWork += killed && last.messages > 0 && !last.done ? 1 : 0
    if (!killed) break
  }
  const seconds = (performance.now() - begin) / 1_000
  const shop = await openShop(shopIn(files))
  const found = await audit(shop, book.keys(), files.ledger)
  await shop.close()
  return { audit: found, work: { ...toll, seconds } }
}

/** When a host is killed: after so many messages, of its whole life or since the clock was put forward. */
type Fate = { readonly after: number; readonly of: 'messages' | 'evening' } | 'lives on'

function fateOf(killsLeft: number, share: number): Fate {
  if (killsLeft === 0) return 'lives on'
  // The last one dies while half an hour passes at once: timers fire, payments are called off, bottles go back.
  if (killsLeft === 1) return { after: 1 + Math.random() * 100, of: 'evening' }
  return { after: 1 + Math.random() * 2 * share, of: 'messages' }
}

interface Life {
  /** What the host told last. What it did after that is in the store but in no count. */
  readonly last: ChaosNews
  readonly killed: boolean
}

/** One life of a host. */
function live(files: ShopFiles, fate: Fate, tell: (news: ChaosNews) => void): Promise<Life> {
  const life: ChaosLife = { files, end: fate === 'lives on' ? 'stop' : 'wait' }
  const child = fork(new URL('./chaos-host.ts', import.meta.url), [JSON.stringify(life)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  let last: ChaosNews = { messages: 0, evening: 0, duplicates: 0, ended: 0, done: false }
  let doomed = false
  const doom = async (): Promise<void> => {
    doomed = true
    await setTimeout(Math.random() * jitterMs)
    child.kill('SIGKILL')
  }
  child.on('message', (news: ChaosNews) => {
    last = news
    tell(news)
    if (fate !== 'lives on' && !doomed && (news.done || news[fate.of] >= fate.after)) void doom()
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      if (doomed || (code === 0 && last.done)) resolve({ last, killed: doomed })
      else reject(new Error(`The host ended by itself: ${signal ?? `exit status ${code}`}.`))
    })
  })
}
