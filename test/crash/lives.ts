// lives.ts: a client and its hosts: life after life is killed, and the client sends again what was not acknowledged.
//   L1  Kills fall on work: when the process has told of some, of its recovery, or at any time of its start.
//   L2  What was acknowledged is sent again only where the process looks whether it is known: a repeat must hide no loss.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Chance } from './chance.ts'
import type { Life } from './client.ts'
import { type Files, linesOf } from './files.ts'
import { type End, Living, liveToTheEnd } from './life.ts'

/** What is to be done to whom. */
export interface Plan {
  readonly files: Files
  /** Dies with each process that is killed, at the same moment, and is there again before the next one. */
  readonly server?: Mortal | undefined
  readonly chance: Chance
  readonly kills: number
  /** Messages from clients, each with a key. */
  readonly hands: number
}

/** A server of the store. */
export interface Mortal {
  kill(): Promise<void>
  restart(): Promise<void>
}

/** What was done. */
export interface Toll {
  kills: number
  /** Kills by what the process was at. */
  starting: number
  recovering: number
  working: number
  /** Lives that ended in good order before their time. */
  stops: number
  /** Acknowledged hands that were sent once more. */
  repeats: number
}

/** Calls under way at the same time. Few, so that a kill finds work in all its stages and not one large group. */
const atOnce = 24
/** A kill comes up to so much later than planned: in the midst of a write, of an effect, of an answer. */
const jitterMs = 12
/** A process is up after about so long. */
const startMs = 250
/** Two signals never come at one moment: a process, or its server, lives on without the other for so long. */
const apartMs = 3

/** When a life ends: after so many acknowledgements, when it has begun to recover, or before that. */
interface Fate {
  readonly how: 'killed at work' | 'killed in recovery' | 'killed at its start' | 'stopped'
  readonly after: number
}

/** Kills until there were enough kills; then everything comes to its end, and after that is sent once more. */
export async function killAndKill(plan: Plan): Promise<Toll> {
  const toll: Toll = { kills: 0, starting: 0, recovering: 0, working: 0, stops: 0, repeats: 0 }
  const memory = new Memory(plan)
  for (let number = 0; toll.kills < plan.kills; number += 1) {
    const fate = fateOf(plan, plan.kills - toll.kills, memory.left, number)
    const life = memory.life(`life-${number}`, fate)
    toll.repeats += life.repeats.length
    await live(life, fate, plan, toll)
    memory.read()
  }
  await end(memory.lastLife('last-life'))
  return toll
}

/** Sends everything once more. All of it is known by now. */
export async function repeatAll({ files, hands, chance }: Plan): Promise<void> {
  const all = chance.shuffled(Array.from({ length: hands }, (_, n) => n))
  await end({ files, name: 'echo', sends: all, repeats: all, atOnce: 256, finish: hands })
}

function fateOf({ chance }: Plan, killsLeft: number, handsLeft: number, number: number): Fate {
  // The first leaves a compile cache to those after it. Others: a host in good order forgets the crashes before it, so
  // that the next one works in large groups again; where nobody stops, all lives after some are spent recovering.
  if (number === 0 || chance.below(1) < 0.25) return { how: 'stopped', after: 10 }
  const dice = chance.below(1)
  if (dice < 0.1) return { how: 'killed at its start', after: 0 }
  if (dice < 0.25) return { how: 'killed in recovery', after: 0 }
  // So that there is work for all kills.
  return { how: 'killed at work', after: Math.floor(chance.below((2 * handsLeft) / killsLeft)) }
}

async function live(life: Life, fate: Fate, { chance, server }: Plan, toll: Toll): Promise<void> {
  let at: 'starting' | 'recovering' | 'working' = 'starting'
  let noted = 0
  let doomed: Promise<void> | undefined
  const doom = (living: Living, withinMs: number): void => {
    doomed ??= sleep(chance.below(withinMs)).then(() =>
      fate.how === 'stopped' ? living.signal('SIGTERM') : killAll(living, server, chance),
    )
  }
  const living = new Living(life, (line, heard) => {
    const [what, detail] = line.split(' ')
    // Where hosts share a store, the shards of one that was killed come when its silence has been noticed.
    const recovers = (what === 'started' || what === 'taken') && Number(detail) > 0
    if (what === 'started' && at === 'starting') at = 'working'
    if (recovers) at = 'recovering'
    if (what === 'noted') noted += 1
    const isTime = fate.how === 'killed in recovery' ? recovers : noted > fate.after
    if (isTime || what === 'sent') doom(heard, jitterMs)
  })
  if (fate.how === 'killed at its start') doom(living, startMs)
  const ended = await living.ended
  await doomed
  if (ended.how === 'SIGTERM' && fate.how === 'stopped') toll.stops += 1
  else if (ended.how === 'SIGKILL' && doomed) {
    toll.kills += 1
    toll[at] += 1
  } else throw unexpected(life, ended)
}

/** Ends a process with SIGKILL, and the server with it: one of them first, by chance. */
async function killAll(living: Living, server: Mortal | undefined, chance: Chance): Promise<void> {
  const apart = chance.below(2 * apartMs) - apartMs
  const die = async (): Promise<void> => living.signal('SIGKILL')
  if (server === undefined) return die()
  const [first, second] = apart < 0 ? [die, () => server.kill()] : [() => server.kill(), die]
  await Promise.all([first(), sleep(Math.abs(apart)).then(second)])
  await server.restart()
}

async function end(life: Life): Promise<void> {
  const ended = await liveToTheEnd(life)
  if (ended.how !== 0 || ended.said.at(-1) !== 'finished') throw unexpected(life, ended)
}

function unexpected({ name }: Life, { how, stderr }: End): Error {
  return new Error(`${name} ended by itself, with ${how}. It said:\n${stderr}`)
}

/** What a client knows: which hands it has sent, and which of them were acknowledged. */
class Memory {
  readonly #plan: Plan
  readonly #acknowledged: number[] = []
  readonly #isAcknowledged = new Set<number>()
  #open: readonly number[] = []
  #next = 0
  #linesRead = 0

  constructor(plan: Plan) {
    this.#plan = plan
  }

  /** Hands that were never acknowledged. */
  get left(): number {
    return this.#plan.hands - this.#isAcknowledged.size
  }

  /** A life with more to do than it lives for. */
  life(name: string, { after }: Fate): Life {
    const { chance, files } = this.#plan
    const fresh = this.#fresh(after + 4 * atOnce)
    const repeats = this.#repeats(10)
    this.#open = [...this.#open, ...fresh]
    return { files, name, sends: chance.shuffled([...this.#open, ...repeats]), repeats, atOnce, finish: 'never' }
  }

  /** Sends what was not acknowledged and nothing else. */
  lastLife(name: string): Life {
    const { hands, files } = this.#plan
    const sends = [...this.#open, ...this.#fresh(hands)]
    return { files, name, sends, repeats: [], atOnce: 256, finish: hands }
  }

  /** Reads what was acknowledged since. */
  read(): void {
    const lines = linesOf(this.#plan.files.notes)
    for (const line of lines.slice(this.#linesRead)) {
      const [kind, what] = line.split(' ')
      const n = Number(what)
      if (kind !== 'hand' || this.#isAcknowledged.has(n)) continue
      this.#isAcknowledged.add(n)
      this.#acknowledged.push(n)
    }
    this.#linesRead = lines.length
    this.#open = this.#open.filter((n) => !this.#isAcknowledged.has(n))
  }

  #fresh(count: number): readonly number[] {
    const first = this.#next
    this.#next = Math.min(this.#plan.hands, first + count)
    return Array.from({ length: this.#next - first }, (_, index) => first + index)
  }

  #repeats(count: number): readonly number[] {
    const { chance } = this.#plan
    const picked = Array.from({ length: count }, () => Math.floor(chance.below(this.#acknowledged.length)))
    return [...new Set(picked)].map((index) => this.#acknowledged[index]).filter((n) => n !== undefined)
  }
}
