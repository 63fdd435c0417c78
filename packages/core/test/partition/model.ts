// model.ts: a tiny world of two entities on the real protocol, and a search through all that may happen in it.
// The sender's owners decide on client messages: each is to be sent to the receiver once. A write may land without being
// heard of, and land again from the wire. Couriers take copies, load, prove, deliver, trim and forget in steps of their own
// that interleave; one of them may sleep for as long as it likes with whatever it holds.
// A rule is removed by lying to the protocol in its place, so what is searched is the code that runs.
import type { EntityId, MessageId } from '../../src/index.ts'
import { chainAfter } from '../../src/lane.ts'
import type { EntityConsignment, Receipt } from '../../src/partition/arrival.ts'
import { commit, type PartitionCommit } from '../../src/partition/commit.ts'
import { deliver } from '../../src/partition/deliver.ts'
import {
  type Departing,
  type DocumentVersion,
  type EntityDocument,
  type EntityMark,
  versionOf,
} from '../../src/partition/document.ts'
import { holdingsOf } from '../../src/partition/erase.ts'
import { forget, marksWithoutSpent } from '../../src/partition/forget.ts'
import { departuresOf } from '../../src/partition/outbox.ts'
import { type LaneFront, type Proof, prove } from '../../src/partition/proof.ts'
import { trim } from '../../src/partition/trim.ts'
import { commitOn, committed, consignmentOf, messageTo, receiver, sender } from './world.ts'

/** What can be taken out of the protocol. */
export const rules = [
  'a commit is conditional on the version',
  'a delivery by proof is conditional on the version',
  'forgetting is conditional on the version',
  'an attempt is recognised by its tag',
  'only owners set the tag',
  'an old epoch is fenced',
  'the mark covers duplicates',
  'the chain must fit',
  'a receipt must fit',
  'a gap is refused',
  'first contact needs a proof',
  'load, then prove',
  'only the head is proved',
  'a proof from memory was loaded for before the commit',
  'a mark is forgotten by proof only',
  'a lane has an id',
  'a lane is closed only when empty',
  'only what was delivered is trimmed',
  'what is received overtakes nothing',
  'a mark that moves is not forgotten in the same commit',
  'a new document has another incarnation',
  'a document with marks is not erased',
  'nothing is erased while somebody holds a proof',
  'nothing is erased while an attempt is unsettled',
] as const
export type Rule = (typeof rules)[number]

/** How much may happen. */
export interface Bounds {
  /** Client messages of each owner of the sender; the second has the newer epoch. */
  readonly owners: readonly (readonly string[])[]
  readonly couriers: number
  /** Whether what was sent over the wire may arrive once more, any time later. */
  readonly echoes?: boolean
  /** Whether deliver and handle may be one write. */
  readonly receives?: boolean
  readonly forgets?: boolean
  readonly closes?: boolean
  /** How often a document may be erased. */
  readonly erasures?: number
  /** How often the sender's document, which is there from the beginning then, may go back to a copy of itself. */
  readonly losses?: number
  /** Messages that a courier picks up at once: one, or also the whole lane. */
  readonly whole?: boolean
}

interface Owner {
  readonly todo: readonly string[]
  /** Sent, and its end not known. */
  readonly attempt: PartitionCommit | undefined
  /** What the host has in memory once its attempt is written: its message, and what the sender then holds. */
  readonly memory: { readonly copy: EntityConsignment; readonly front: LaneFront } | undefined
}

interface Courier {
  readonly copy: EntityConsignment | undefined
  readonly loaded: { readonly at: DocumentVersion | undefined } | undefined
  /** Whether it was loaded before the owner in the same process began the attempt that is under way. */
  readonly early: boolean
  readonly proof: Proof | undefined
  readonly receipt: Receipt | undefined
}

interface State {
  readonly s: EntityDocument | undefined
  readonly r: EntityDocument | undefined
  readonly owners: readonly Owner[]
  readonly couriers: readonly Courier[]
  readonly wire: readonly PartitionCommit[]
  readonly births: number
  readonly erased: number
  readonly copy: EntityDocument | undefined
  readonly lost: number
  /** What the model knows and nobody in it: messages sent, in the order of the commits that did; and handled. */
  readonly sent: readonly string[]
  readonly handled: readonly string[]
  readonly alarm: string | undefined
}

/** What may happen next. */
interface Step {
  readonly told: string
  readonly state: State
}

/** What a search has found. */
export interface Searched {
  readonly states: number
  /** Whether all states within the bounds were looked at. */
  readonly exhausted: boolean
  readonly counterexample: { readonly broken: string; readonly story: readonly string[] } | undefined
  /** States from which not everything can be handled any more. */
  readonly stuck: readonly string[] | undefined
}

const idle: Courier = { copy: undefined, loaded: undefined, early: false, proof: undefined, receipt: undefined }

/** Looks at every state that can be reached, breadth first: the first counterexample is a shortest one. */
export function search(bounds: Bounds, removed: readonly Rule[] = [], maxStates = 2_000_000): Searched {
  const model = new Model(bounds, new Set(removed))
  const states: State[] = [model.initial]
  const parents: number[] = [-1]
  const told: string[] = ['']
  const known = new Map<string, number>([[keyOf(model.initial), 0]])
  const sources: number[][] = [[]]
  const story = (number: number): string[] => {
    const steps: string[] = []
    for (let each = number; each > 0; each = parents[each] as number) steps.unshift(told[each] as string)
    return steps
  }
  for (let next = 0; next < states.length; next += 1) {
    for (const step of model.steps(states[next] as State)) {
      const key = keyOf(step.state)
      const before = known.get(key)
      if (before !== undefined) {
        sources[before]?.push(next)
        continue
      }
      const number = states.length
      known.set(key, number)
      states.push(step.state)
      parents.push(next)
      told.push(step.told)
      sources.push([next])
      const broken = model.brokenIn(step.state)
      if (broken !== undefined) {
        const counterexample = { broken, story: story(number) }
        return { states: number + 1, exhausted: false, counterexample, stuck: undefined }
      }
      if (states.length >= maxStates) {
        return { states: states.length, exhausted: false, counterexample: undefined, stuck: undefined }
      }
    }
  }
  const stuck = stuckAmong(states, sources)
  return {
    states: states.length,
    exhausted: true,
    counterexample: undefined,
    stuck: stuck < 0 ? undefined : story(stuck),
  }
}

/**
 * One way through a world that is too large for a search: each number chooses among what may happen next.
 *
 * @returns The guarantee that broke, and how.
 */
export function walk(bounds: Bounds, choices: readonly number[]): Searched['counterexample'] {
  const model = new Model(bounds, new Set())
  let state = model.initial
  const story: string[] = []
  for (const choice of choices) {
    const steps = model.steps(state)
    const step = steps[choice % Math.max(steps.length, 1)]
    if (step === undefined) break
    story.push(step.told)
    state = step.state
    const broken = model.brokenIn(state)
    if (broken !== undefined) return { broken, story }
  }
  return undefined
}

/** A state from which no way leads to one where all is handled (G16), or -1. */
function stuckAmong(states: readonly State[], sources: readonly (readonly number[])[]): number {
  const good = new Uint8Array(states.length)
  const open: number[] = []
  const reach = (number: number): void => {
    if (good[number] === 1) return
    good[number] = 1
    open.push(number)
  }
  for (const [number, state] of states.entries()) if (isAtRest(state)) reach(number)
  for (let next = open.pop(); next !== undefined; next = open.pop()) sources[next]?.forEach(reach)
  return good.indexOf(0)
}

function isAtRest({ s, r, owners, alarm }: State): boolean {
  if (alarm !== undefined) return true
  const isIdle = owners.every(({ todo, attempt }) => todo.length === 0 && attempt === undefined)
  return isIdle && (s === undefined || departuresOf(s).length === 0) && (r?.inbox.length ?? 0) === 0
}

/** See the file head. */
class Model {
  readonly #bounds: Bounds
  readonly #removed: ReadonlySet<Rule>
  /** With the rules in place a version never comes twice, so what is stale can be forgotten: fewer states, same answers. */
  readonly #fades: boolean

  constructor(bounds: Bounds, removed: ReadonlySet<Rule>) {
    this.#bounds = bounds
    this.#removed = removed
    this.#fades = removed.size === 0
  }

  get initial(): State {
    const { owners, couriers, losses } = this.#bounds
    return {
      s: losses === undefined ? undefined : committed(undefined),
      r: undefined,
      owners: owners.map((todo) => ({ todo, attempt: undefined, memory: undefined })),
      couriers: Array.from({ length: couriers }, () => idle),
      wire: [],
      births: losses === undefined ? 0 : 1,
      erased: 0,
      copy: undefined,
      lost: 0,
      sent: [],
      handled: [],
      alarm: undefined,
    }
  }

  /** The guarantee that does not hold. */
  brokenIn({ s, r, sent, handled, alarm, lost }: State): string | undefined {
    if (new Set(handled).size < handled.length) return `G1: ${handled.join(', ')} were handled`
    // What a sender has lost from its history has no place in its order any more.
    const order = [...new Set(sent)]
    const known = handled.filter((each) => order.includes(each))
    if (known.some((each, index) => each !== order[index])) {
      return `G6: sent ${order.join(', ')}, handled ${handled.join(', ')}`
    }
    const somewhere = placesOf(s, r, handled)
    const missing = sent.find((each) => !somewhere.has(each))
    if (missing !== undefined) return `G2, G12: ${missing} is nowhere`
    return alarm !== undefined && lost === 0 ? `G15: false alarm: ${alarm}` : undefined
  }

  /** All that may happen next. */
  steps(state: State): readonly Step[] {
    if (state.alarm !== undefined) return []
    const found: Step[] = []
    const add = (told: string, after: Partial<State> | undefined): void => {
      if (after !== undefined) found.push({ told, state: this.#faded({ ...state, ...after }) })
    }
    this.#turn(state, add)
    for (const index of state.owners.keys()) this.#owner(state, index, add)
    for (const attempt of state.wire) add(`an echo of ${nameOf(attempt)} lands`, this.#land(state, attempt))
    for (const index of state.couriers.keys()) this.#courier(state, index, add)
    this.#erase(state, add)
    this.#lose(state, add)
    return found
  }

  #has(rule: Rule): boolean {
    return !this.#removed.has(rule)
  }

  // The receiver handles the first that waits.
  #turn({ r, handled }: State, add: Add): void {
    const [head] = r?.inbox ?? []
    if (r === undefined || head === undefined) return
    const result = commit(r, commitOn(r, { consumed: [head.id] }))
    if (result.outcome === 'committed') {
      add(`R handles ${head.id}`, { r: result.document, handled: [...handled, head.id] })
    }
  }

  #owner(state: State, index: number, add: Add): void {
    const owner = state.owners[index] as Owner
    const [message] = owner.todo
    const name = `host ${index + 1}`
    if (owner.attempt === undefined) {
      if (message === undefined) return
      add(`${name} decides to send ${message}`, this.#begin(state, index, message, []))
      const isOpen = state.s?.outbox[receiver] !== undefined
      const mayClose =
        state.s?.outbox[receiver]?.messages.length === 0 || !this.#has('a lane is closed only when empty')
      if (this.#bounds.closes && isOpen && mayClose) {
        add(`${name} decides to send ${message} on a new lane`, this.#begin(state, index, message, [receiver]))
      }
      return
    }
    add(`${nameOf(owner.attempt)} is written, ${name} does not hear of it`, this.#land(state, owner.attempt))
    this.#settle(state, index, add)
  }

  #begin(state: State, index: number, message: string, closed: readonly EntityId[]): Partial<State> | undefined {
    const at = state.s === undefined ? 'none' : `${state.s.incarnation}.${state.s.version}`
    const attempt = commitOn(state.s, {
      entity: sender,
      at: { entity: sender, shard: 0, incarnation: this.#draw(state) },
      epoch: index + 1,
      tag: `${message} on ${at} by ${index + 1}`,
      outbox: [messageTo(receiver, message)],
      closed,
    })
    const result = this.#write(state, attempt)
    const memory = result.outcome === 'committed' ? memoryOf(result.document, message) : undefined
    const courier = state.couriers[index]
    const wire = this.#bounds.echoes ? [...state.wire, attempt] : state.wire
    return {
      wire,
      owners: state.owners.with(index, { ...(state.owners[index] as Owner), attempt, memory }),
      ...(courier === undefined
        ? {}
        : { couriers: state.couriers.with(index, { ...courier, early: courier.loaded !== undefined }) }),
    }
  }

  #draw({ births }: State): string {
    return this.#has('a new document has another incarnation') ? `life${births + 1}` : 'life'
  }

  #write({ s }: State, attempt: PartitionCommit): ReturnType<typeof commit> {
    const isConditional = this.#has('a commit is conditional on the version')
    const stored = s !== undefined && !this.#has('an attempt is recognised by its tag') ? { ...s, tag: '' } : s
    const result = commit(stored, {
      ...attempt,
      expected: isConditional ? attempt.expected : versionOf(s),
      epoch: this.#has('an old epoch is fenced') ? attempt.epoch : Math.max(attempt.epoch, s?.epoch ?? 0),
    })
    if (result.outcome !== 'committed') return result
    let { outbox } = result.document
    const [closed] = attempt.closed
    const before = s?.outbox[receiver]
    if (closed !== undefined && before !== undefined && before.messages.length > 0) {
      // Only where the rule is removed: the lane goes with what is in it.
      const fresh = commit({ ...(s as EntityDocument), outbox: {} }, { ...attempt, closed: [] })
      if (fresh.outcome === 'committed') outbox = fresh.document.outbox
    }
    const lane = outbox[receiver]
    if (lane !== undefined && !this.#has('a lane has an id')) outbox = { [receiver]: { ...lane, lane: 'lane.0' } }
    return { ...result, document: { ...result.document, outbox } }
  }

  #land(state: State, attempt: PartitionCommit): Partial<State> | undefined {
    const result = this.#write(state, attempt)
    if (result.outcome !== 'committed') return undefined
    const births = state.births + (state.s === undefined ? 1 : 0)
    return { s: result.document, births, sent: [...state.sent, ...attempt.outbox.map(({ id }) => id)] }
  }

  /** The owner repeats its attempt until it hears how it ended. */
  #settle(state: State, index: number, add: Add): void {
    const { attempt, memory, todo } = state.owners[index] as Owner
    if (attempt === undefined) return
    const name = `host ${index + 1}`
    const { outcome } = this.#write(state, attempt)
    const ended = (left: readonly string[], after: Partial<State> = {}): Partial<State> => ({
      ...after,
      owners: state.owners.with(index, { todo: left, attempt: undefined, memory: undefined }),
    })
    if (outcome === 'fenced') {
      // It has no right to go on; those who called it are told that its shard has passed on.
      add(`${name} hears that it is fenced`, ended([]))
      return
    }
    if (outcome === 'conflict') {
      add(`${name} hears of a conflict`, ended(todo))
      return
    }
    const after = outcome === 'committed' ? this.#land(state, attempt) : {}
    const told = `${name} hears that ${nameOf(attempt)} is ${outcome === 'committed' ? 'written' : 'applied already'}`
    add(told, ended(todo.slice(1), { ...after, ...this.#proofFromMemory(state, index, memory) }))
  }

  /** The courier in the owner's own process knows what the sender holds since its commit. */
  #proofFromMemory({ couriers }: State, index: number, memory: Owner['memory']): Partial<State> {
    const courier = couriers[index]
    if (courier?.loaded === undefined || courier.copy !== undefined || memory === undefined) return {}
    const isRight = courier.early || !this.#has('a proof from memory was loaded for before the commit')
    if (!isRight) return {}
    const proof = { from: sender, to: receiver, at: courier.loaded.at, front: memory.front }
    return { couriers: couriers.with(index, { ...courier, copy: memory.copy, proof }) }
  }

  #courier(state: State, index: number, add: Add): void {
    const courier = state.couriers[index] as Courier
    const name = `courier ${index + 1}`
    const put = (changes: Partial<Courier>, after: Partial<State> = {}): Partial<State> => ({
      ...after,
      couriers: state.couriers.with(index, { ...courier, ...changes }),
    })
    const { copy, loaded, proof, receipt } = courier
    if (copy === undefined) {
      for (const each of this.#copies(state)) add(`${name} copies ${idsOf(each)}`, put({ copy: each }))
    }
    this.#look(state, courier, name, put, add)
    if (copy !== undefined) {
      this.#deliver(state, courier, name, copy, put, add)
      if (loaded !== undefined && this.#bounds.receives) this.#receive(state, courier, name, copy, put, add)
    }
    if (receipt !== undefined) this.#trim(state, `${name} trims`, receipt, put, add)
    if (copy !== undefined && !this.#has('only what was delivered is trimmed')) {
      const { number, chain } = copy.messages.at(-1) as Departing
      const forged = { from: sender, to: receiver, lane: copy.lane, number, chain }
      this.#trim(state, `${name} trims ${idsOf(copy)}`, forged, put, add)
    }
    if (this.#bounds.forgets) this.#forget(state, proof, name, put, add)
    if (copy !== undefined || loaded !== undefined || receipt !== undefined) {
      add(`${name} drops what it holds`, { couriers: state.couriers.with(index, idle) })
    }
  }

  #copies({ s }: State): readonly EntityConsignment[] {
    const [lane] = s === undefined ? [] : departuresOf(s)
    if (lane === undefined) return []
    const singles = lane.messages.map((each) => ({ ...lane, messages: [each] }))
    return this.#bounds.whole && singles.length > 1 ? [...singles, lane] : singles
  }

  #look(state: State, { copy, loaded, proof }: Courier, name: string, put: Put, add: Add): void {
    const at = versionOf(state.r)
    const isStale = loaded !== undefined && keyOfVersion(loaded.at) !== keyOfVersion(at)
    if (this.#has('load, then prove')) {
      if (loaded === undefined || isStale) {
        add(`${name} loads R`, put({ loaded: { at }, early: false, proof: undefined }))
      }
      if (loaded === undefined || isStale || proof !== undefined) return
      const { front } = prove({ entity: receiver, at }, sender, state.s)
      const seen = this.#has('only the head is proved') ? front : this.#frontOf(state, copy, front)
      add(`${name} reads S`, put({ proof: { from: sender, to: receiver, at: loaded.at, front: seen } }))
      return
    }
    // The wrong way round: what the sender holds first, then the receiver.
    if (proof === undefined) add(`${name} reads S`, put({ proof: prove({ entity: receiver, at }, sender, state.s) }))
    if (proof !== undefined && (loaded === undefined || isStale)) {
      add(`${name} loads R`, put({ loaded: { at }, proof: { ...proof, at } }))
    }
  }

  /** Takes any message that the sender holds for its head. */
  #frontOf({ s }: State, copy: EntityConsignment | undefined, front: LaneFront | undefined): LaneFront | undefined {
    const lane = s?.outbox[receiver]
    const first = copy?.messages[0]
    const held = lane?.lane === copy?.lane && lane?.messages.find(({ number }) => number === first?.number)
    return held ? { lane: (copy as EntityConsignment).lane, number: held.number, chain: held.chain } : front
  }

  #proofFor({ r }: State, { proof }: Courier, { lane, messages }: EntityConsignment): Proof | undefined {
    const at = versionOf(r)
    const { number, chain } = messages[0] as Departing
    if (!this.#has('first contact needs a proof')) {
      return { from: sender, to: receiver, at, front: { lane, number, chain } }
    }
    return proof !== undefined && !this.#has('a delivery by proof is conditional on the version')
      ? { ...proof, at }
      : proof
  }

  /** What the receiver is told in the place of the truth, where a rule about marks and chains is removed. */
  #lied({ r }: State, copy: EntityConsignment, proof: Proof | undefined): Lie {
    const [first] = copy.messages
    const mark = r?.marks[sender]
    if (r === undefined || first === undefined || mark === undefined || mark.lane !== copy.lane) return [r, copy, proof]
    const isSkipped = first.number > mark.number + 1 && !this.#has('a gap is refused')
    const isKnown = first.number <= mark.number && !this.#has('the mark covers duplicates')
    if (isSkipped || isKnown) {
      const front = { lane: copy.lane, number: first.number, chain: first.chain }
      return [{ ...r, marks: {} }, copy, { from: sender, to: receiver, at: versionOf(r), front }]
    }
    return this.#has('the chain must fit') ? [r, copy, proof] : [r, rechained(copy, mark), proof]
  }

  #deliver(state: State, courier: Courier, name: string, copy: EntityConsignment, put: Put, add: Add): void {
    const [r, consignment, proof] = this.#lied(state, copy, this.#proofFor(state, courier, copy))
    const birth = { entity: receiver, shard: 0, incarnation: this.#draw(state) }
    const result = deliver(r, { to: birth, consignment, proof })
    if (result.outcome === 'broken') add(`R refuses ${idsOf(copy)} of ${name}: broken`, { alarm: result.finding })
    if (result.outcome === 'duplicate' && result.receipt !== undefined && courier.receipt === undefined) {
      add(`${name} hears that R has ${idsOf(copy)}`, put({ receipt: result.receipt }))
    }
    if (result.outcome !== 'delivered') return
    const births = state.births + (state.r === undefined ? 1 : 0)
    add(`${name} delivers ${idsOf(copy)}`, put({ receipt: result.receipt }, { r: result.document, births }))
  }

  /** Deliver and handle in one write. */
  #receive(state: State, courier: Courier, name: string, copy: EntityConsignment, put: Put, add: Add): void {
    const { loaded } = courier
    const [lied, consignment, proof] = this.#lied(state, copy, this.#proofFor(state, courier, copy))
    const r = lied !== undefined && !this.#has('what is received overtakes nothing') ? { ...lied, inbox: [] } : lied
    const result = commit(r, {
      ...commitOn(r, { entity: receiver, received: [consignment], proofs: proof === undefined ? [] : [proof] }),
      at: { entity: receiver, shard: 0, incarnation: this.#draw(state) },
      expected: this.#has('a delivery by proof is conditional on the version') ? loaded?.at : versionOf(r),
    })
    if (result.outcome !== 'committed') return
    const { number, chain } = result.document.marks[sender] as EntityMark
    const isKept = this.#has('a mark that moves is not forgotten in the same commit') || proof === undefined
    const marks = isKept ? result.document.marks : marksWithoutSpent(result.document.marks, [proof])
    const document = { ...result.document, marks, inbox: state.r?.inbox ?? [] }
    const receipt = { from: sender, to: receiver, lane: copy.lane, number, chain }
    const births = state.births + (state.r === undefined ? 1 : 0)
    const handled = [...state.handled, ...copy.messages.map(({ id }) => id)]
    add(`R handles ${idsOf(copy)} as ${name} brings it`, put({ receipt }, { r: document, births, handled }))
  }

  #trim(state: State, told: string, receipt: Receipt, put: Put, add: Add): void {
    const lane = state.s?.outbox[receiver]
    const isBlind = !this.#has('a receipt must fit')
    const held = lane?.messages.find(({ number }) => number === Math.min(receipt.number, lane.number))
    const believed =
      isBlind && lane !== undefined
        ? { ...receipt, number: Math.min(receipt.number, lane.number), chain: held?.chain ?? lane.chain }
        : receipt
    const result = trim(state.s, [believed])
    if (result.outcome === 'broken') add(`${told}: broken`, { alarm: result.finding })
    if (result.outcome === 'nothing to trim') add(`${told}: nothing is left`, put({ receipt: undefined }))
    if (result.outcome !== 'trimmed') return
    const s = this.#has('only owners set the tag') ? result.document : { ...result.document, tag: '' }
    add(told, put({ receipt: undefined }, { s }))
  }

  #forget(state: State, proof: Proof | undefined, name: string, put: Put, add: Add): void {
    const forged = { from: sender, to: receiver, at: versionOf(state.r), front: undefined }
    const isProved = this.#has('a mark is forgotten by proof only')
    const isConditional = this.#has('forgetting is conditional on the version')
    const own = proof === undefined || isConditional ? proof : { ...proof, at: versionOf(state.r) }
    const used = isProved ? own : forged
    if (used === undefined) return
    const result = forget(state.r, used)
    if (result.outcome !== 'forgotten') return
    add(isProved ? `${name} lets R forget the mark` : 'R forgets the mark by a clock', put({}, { r: result.document }))
  }

  #erase(state: State, add: Add): void {
    if (state.erased >= (this.#bounds.erasures ?? 0)) return
    const erased = state.erased + 1
    const isHeld = state.couriers.some(({ loaded, proof }) => loaded !== undefined || proof !== undefined)
    const isTried = state.wire.length > 0 || state.owners.some(({ attempt }) => attempt !== undefined)
    const isEmpty = (document: EntityDocument): boolean =>
      holdingsOf(document).every((each) => each === 'marks' && !this.#has('a document with marks is not erased'))
    const mayEraseS = !isTried || !this.#has('nothing is erased while an attempt is unsettled')
    const mayEraseR = !isHeld || !this.#has('nothing is erased while somebody holds a proof')
    if (state.s !== undefined && isEmpty(state.s) && mayEraseS) add('S is erased', { s: undefined, erased })
    if (state.r !== undefined && isEmpty(state.r) && mayEraseR) add('R is erased', { r: undefined, erased })
  }

  #lose(state: State, add: Add): void {
    const { s, copy, lost, owners } = state
    if (lost >= (this.#bounds.losses ?? 0) || s === undefined) return
    if (copy === undefined) add('S is backed up', { copy: s })
    // What nobody has heard the end of may come again when history goes: that is told in the decision note.
    if (copy === undefined || copy.version === s.version || owners.some(({ attempt }) => attempt !== undefined)) return
    const somewhere = placesOf(copy, state.r, state.handled)
    const sent = state.sent.filter((each) => somewhere.has(each))
    add('S goes back to its backup', { s: copy, lost: lost + 1, sent, copy: undefined })
  }

  #faded(state: State): State {
    if (!this.#fades) return state
    const at = keyOfVersion(versionOf(state.r))
    const couriers = state.couriers.map((courier) =>
      courier.loaded === undefined || keyOfVersion(courier.loaded.at) === at
        ? courier
        : { ...courier, loaded: undefined, early: false, proof: undefined },
    )
    return { ...state, couriers }
  }
}

/** The same messages, with chains that fit whatever the receiver has. */
function rechained({ messages, ...copy }: EntityConsignment, mark: EntityMark): EntityConsignment {
  let before = mark.chain
  const fitting = messages.map((each) => {
    if (each.number <= mark.number) return { ...each, chain: mark.chain }
    before = chainAfter(before, each.id)
    return { ...each, chain: before }
  })
  return { ...copy, messages: fitting }
}

/** Where messages are: on their way, waiting, or handled. */
function placesOf(
  s: EntityDocument | undefined,
  r: EntityDocument | undefined,
  handled: readonly string[],
): ReadonlySet<string> {
  const waiting = r?.inbox.map(({ id }) => id) ?? []
  const departing = s?.outbox[receiver]?.messages.map(({ id }) => id) ?? []
  return new Set<string>([...handled, ...waiting, ...departing])
}

function memoryOf(s: EntityDocument, message: string): Owner['memory'] {
  const { front } = prove({ entity: receiver, at: undefined }, sender, s)
  const whole = consignmentOf(s, message)
  return front === undefined ? undefined : { copy: { ...whole, messages: whole.messages.slice(-1) }, front }
}

type Add = (told: string, after: Partial<State> | undefined) => void
type Lie = readonly [r: EntityDocument | undefined, consignment: EntityConsignment, proof: Proof | undefined]
type Put = (changes: Partial<Courier>, after?: Partial<State>) => Partial<State>

function nameOf({ outbox, closed }: PartitionCommit): string {
  return `the commit of ${outbox.map(({ id }: { readonly id: MessageId }) => id).join(', ')}${closed.length > 0 ? ' on a new lane' : ''}`
}

function idsOf({ messages }: EntityConsignment): string {
  return messages.map(({ id }) => id).join(' and ')
}

function keyOfVersion(at: DocumentVersion | undefined): string {
  return at === undefined ? '-' : `${at.incarnation}.${at.version}`
}

/** Text that two states share only when nothing in them differs. */
function keyOf(state: State): string {
  const { s, r, owners, couriers, wire, births, erased, copy, lost, sent, handled, alarm } = state
  const placeOf = (each: LaneFront | undefined): string =>
    each === undefined ? '-' : `${each.lane}:${each.number}:${each.chain}`
  const documentKey = (document: EntityDocument | undefined): string => {
    if (document === undefined) return '-'
    const lane = document.outbox[receiver]
    const held = lane?.messages.map(({ id, number, chain }) => `${id}:${number}:${chain}`)
    const waiting = document.inbox.map(({ id }) => id)
    return [
      keyOfVersion(document),
      document.epoch,
      document.tag,
      placeOf(lane),
      held,
      placeOf(document.marks[sender]),
      waiting,
    ].join('/')
  }
  const attemptKey = (attempt: PartitionCommit | undefined): string =>
    attempt === undefined ? '-' : `${attempt.tag}${attempt.closed.length}`
  return [
    documentKey(s),
    documentKey(r),
    ...owners.map(({ todo, attempt, memory }) => `${todo}/${attemptKey(attempt)}/${placeOf(memory?.front)}`),
    ...couriers.map((each) => {
      const copied = each.copy?.messages.map(({ number, chain }) => `${each.copy?.lane}:${number}:${chain}`)
      const at = each.loaded === undefined ? 'none' : `${keyOfVersion(each.loaded.at)}${each.early}`
      const proof = each.proof === undefined ? 'none' : `${keyOfVersion(each.proof.at)}~${placeOf(each.proof.front)}`
      return [copied, at, proof, placeOf(each.receipt)].join('/')
    }),
    wire.map(attemptKey),
    births,
    erased,
    documentKey(copy),
    lost,
    sent,
    handled,
    alarm,
  ].join('|')
}
