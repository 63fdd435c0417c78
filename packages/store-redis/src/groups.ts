// groups.ts: a group as scripts: for each shard one that lets messages in, then one for each commit.
//   G1  Everything is encoded before anything is sent: what can't be encoded changes nothing.
//   G2  Commits of one shard reach it in the order of the group, behind the messages that enter by it.
//   G3  What a shard that lost history did not take says so; what other shards took stands (G13).
import {
  type AcceptedMessage,
  type Commit,
  type CommitResult,
  type EntityId,
  type Group,
  type GroupResult,
  type Halt,
  InterstateError,
  type MessageId,
  type Placed,
  type Registration,
  type ShardId,
} from '@interstate/core'
import { encodeRow, tagText, wakeAtText } from './entity-row.ts'
import { type Answer, lostFinding } from './lost.ts'
import type { ShardNames } from './names.ts'
import type { Ground, Order, Orders, Writer } from './writer.ts'

/** What a group brings to one shard. */
interface Share {
  readonly accepted: { readonly index: number; readonly message: AcceptedMessage }[]
  readonly registrations: Registration[]
  readonly commits: { readonly index: number; readonly commit: Commit }[]
}

/** See the file head. */
export class Groups {
  readonly #ground: Ground
  readonly #writer: Writer
  /** Of this driver: a repeated attempt that comes late by another connection is told by its number. */
  readonly #instance: string
  #writes = 0

  constructor(ground: Ground, writer: Writer, instance: string) {
    this.#ground = ground
    this.#writer = writer
    this.#instance = instance
  }

  async write(group: Group): Promise<GroupResult> {
    if (group.mode === 'together') {
      const what = 'A group written together would be several scripts here: Redis writes one shard at a time.'
      throw new InterstateError('STORE_FAILED', what, { mode: group.mode })
    }
    this.#writes += 1
    const shares = sharesOf(group)
    const work = [...shares].map(([shard, share]) => this.#orders(group, shard, share))
    const answers = await this.#writer.send(work)
    return read(group, shares, answers)
  }

  #orders(group: Group, shard: ShardId, { accepted, registrations, commits }: Share): Orders {
    const before = new Map<EntityId, string>()
    const orders = commits.map(({ commit }) => {
      const order = this.#commit(group, commit, before.get(commit.entity) ?? '')
      before.set(commit.entity, tagText(commit.tag))
      return order
    })
    if (accepted.length + registrations.length > 0) {
      const messages = accepted.map(({ message }) => message)
      orders.unshift(this.#accept(group, shard, messages, registrations))
    }
    return { shard, orders, isDone }
  }

  #accept(
    { owner, tag }: Group,
    shard: ShardId,
    messages: readonly AcceptedMessage[],
    registrations: readonly Registration[],
  ): Order {
    const args: (string | number)[] = [owner, this.#instance, this.#writes, tag, messages.length]
    for (const { id, to, shard: target, body, lease } of messages) {
      args.push(target === shard ? '' : target, id, to, body, lease?.epoch ?? '')
    }
    args.push(registrations.length)
    for (const { key, at, fingerprint, message, others = [] } of registrations) {
      args.push(key, at, fingerprint, 1 + others.length, message, ...others)
    }
    const keys = ({ record, attempts, ids, inbox, lanes, out, keys, keyTimes }: ShardNames): readonly string[] => {
      const used = [record, attempts, ids, inbox, lanes, out]
      return registrations.length > 0 ? [...used, keys, keyTimes] : used
    }
    return { script: this.#ground.scripts.accept, keys, args }
  }

  /** @param before - The tag of the commit of this entity before it in the group. */
  #commit({ owner, tag: group }: Group, commit: Commit, before: string): Order {
    const { lease, entity, tag, expectedVersion, wakeAt, unsettled, consumed, outbox, deadLetters, replies } = commit
    const args: (string | number)[] = [tagText(tag), expectedVersion, entity, encodeRow(commit), wakeAtText(wakeAt)]
    args.push(unsettled ? 1 : 0, before, owner, group, consumed.length, ...consumed, outbox.length)
    for (const { id, to, shard, body } of outbox) args.push(shard === lease.shard ? '' : shard, id, to, body)
    args.push(replies.length)
    for (const { key, reply } of replies) args.push(key, reply)
    args.push(deadLetters.length)
    for (const { id, to, body, reason } of deadLetters) args.push(id, to, body, reason)
    const keys = (names: ShardNames): readonly string[] => {
      const { record, ids, inbox, wake, unsettled, attempts, lanes, out } = names
      const used = [record, names.entity + entity, ids, inbox, wake, unsettled, attempts]
      if (deadLetters.length > 0) return [...used, lanes, out, names.keys, names.dead, names.deadIds]
      if (replies.length > 0) return [...used, lanes, out, names.keys]
      return outbox.length > 0 ? [...used, lanes, out] : used
    }
    return { script: this.#ground.scripts.commit, keys, args, epoch: lease.epoch }
  }
}

/** Splits a group by the shard at which each part is written. */
function sharesOf({ accepted, registrations, commits }: Group): ReadonlyMap<ShardId, Share> {
  const shares = new Map<ShardId, Share>()
  const at = (shard: ShardId): Share => {
    const share = shares.get(shard) ?? { accepted: [], registrations: [], commits: [] }
    shares.set(shard, share)
    return share
  }
  const entries = new Map<MessageId, ShardId>()
  for (const [index, message] of accepted.entries()) {
    const entry = message.entry ?? message.shard
    entries.set(message.id, entry)
    at(entry).accepted.push({ index, message })
  }
  for (const registration of registrations) {
    for (const id of [registration.message, ...(registration.others ?? [])]) {
      const entry = entries.get(id) ?? registration.shard
      if (entry !== registration.shard) throw scattered(registration, id, entry)
    }
    at(registration.shard).registrations.push(registration)
  }
  for (const [index, commit] of commits.entries()) at(commit.lease.shard).commits.push({ index, commit })
  return shares
}

/** A key and its messages are one write only where they enter by one shard. */
function scattered({ key, shard }: Registration, id: MessageId, entry: ShardId): InterstateError {
  const what = `Key ${key} is of shard ${shard}, but its message ${id} enters by shard ${entry}.`
  return new InterstateError('STORE_FAILED', what, { key, shard, message: id, entry })
}

function isDone(answer: unknown): boolean {
  const [outcome] = answer as Answer
  return outcome === 'committed' || outcome === 'already applied' || outcome === 'accepted'
}

/** Puts the answers of all shards together. */
function read(group: Group, shares: ReadonlyMap<ShardId, Share>, answers: readonly (readonly Answer[])[]): GroupResult {
  const placed: (Placed | undefined)[] = group.accepted.map(() => undefined)
  const fenced = new Set<number>()
  const taken = new Set<Registration>()
  const results: CommitResult[] = []
  const lost: Halt[] = []
  for (const [line, [shard, { accepted, registrations, commits }]] of [...shares].entries()) {
    const told = [...(answers[line] ?? [])]
    if (accepted.length + registrations.length > 0) {
      const answer = told.shift() as Answer
      const finding = lostFinding(shard, answer)
      if (finding !== undefined) lost.push({ shard, finding })
      const tokens = acceptedTokens(answer)
      for (const [index, { index: at }] of accepted.entries()) {
        const token = tokens.places[index] ?? 'f'
        if (token === 'f') fenced.add(at)
        else if (token !== 't') placed[at] = placeOf(token)
      }
      for (const index of tokens.taken) taken.add(registrations[index] as Registration)
    }
    for (const [index, { index: at, commit }] of commits.entries()) {
      results[at] = resultOf(shard, commit, told[index] as Answer)
    }
  }
  return {
    taken: group.registrations.filter((registration) => taken.has(registration)).map(({ key }) => key),
    fenced: group.accepted.filter((_, index) => fenced.has(index)).map(({ id }) => id),
    placed,
    results,
    ...(lost.length > 0 && { lost }),
  }
}

function acceptedTokens(answer: Answer): { readonly places: readonly string[]; readonly taken: readonly number[] } {
  switch (answer[0]) {
    case 'accepted': {
      const [places, taken] = [String(answer[2]), String(answer[3])]
      return {
        places: places === '' ? [] : places.split(' '),
        taken: taken === '' ? [] : taken.split(' ').map(Number),
      }
    }
    case 'lost':
      return { places: [], taken: [] }
    default:
      throw new InterstateError('STORE_UNCERTAIN', `A later write of this owner stands already: ${answer[0]}.`, {})
  }
}

function resultOf(shard: ShardId, commit: Commit, answer: Answer): CommitResult {
  const [outcome, , detail, ...rest] = answer
  switch (outcome) {
    case 'committed':
      return { outcome, version: Number(detail), placed: rest.map((token) => placeOf(String(token))) }
    case 'already applied':
    case 'conflict':
      return { outcome, version: Number(detail) }
    case 'duplicate':
      return { outcome, message: String(detail) as MessageId }
    case 'fenced':
      return { outcome, epoch: Number(detail) }
    default:
      return { outcome: 'lost', finding: lostFinding(shard, answer) ?? `Commit ${commit.tag} got no answer.` }
  }
}

/** `12` is a position, `3.0f1e…` a place in a lane. */
export function placeOf(token: string): Placed {
  const dot = token.indexOf('.')
  if (dot < 0) return { position: Number(token) }
  return { number: Number(token.slice(0, dot)), chain: token.slice(dot + 1) }
}
